"""What people call their application."""

from __future__ import annotations

import pytest
from wsgi_matrix.model import app_import_string


@pytest.mark.parametrize(
    "text",
    [
        "app:app",
        "mypkg.wsgi:application",
        "shop:Shop.app",
        "shop:create_app()",
        "shop.main:Shop.make('test', 8, debug=True, only=['a', 'b'], none=None)",
    ],
)
def test_names_and_factories_with_literal_arguments(text):
    assert app_import_string.check(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shop", "mypkg.wsgi:app"),
        (":app", "mypkg.wsgi:app"),
        ("shop:", "mypkg.wsgi:app"),
        ("a b:app", "mypkg.wsgi:app"),
        ("shop:app[0]", "mypkg.wsgi:app"),
        ("shop:make()()", "mypkg.wsgi:app"),
        ("shop:make(", "mypkg.wsgi:app"),
        ("shop:make(1); import os", "mypkg.wsgi:app"),
        ("shop:make(os.environ)", "literals"),
        ("shop:make(*[1])", "literals"),
        ("shop:make(**{'a': 1})", "literals"),
        ("shop:make(config())", "literals"),
    ],
)
def test_what_is_none(text, expected):
    with pytest.raises(ValueError, match=expected):
        app_import_string.check(text)


def test_a_factory_is_called_once_by_a_module(tmp_path, monkeypatch):
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "main.py").write_text(
        "calls = []\nclass Shop:\n    @staticmethod\n    def make(*args, **more):\n"
        "        calls.append((args, more))\n        return 'the app'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    name = "shop.main:Shop.make('a', 2, debug=True)"
    values: dict[str, object] = {}
    exec(app_import_string.source(name), values)
    assert values["app"] == "the app"
    import shop.main

    assert shop.main.calls == [(("a", 2), {"debug": True})]
    assert app_import_string.loaded(name) == "wsgi_matrix_factory:app"
    assert app_import_string.loaded("shop:app") == "shop:app"
