"""What an app needs to run: what ``[apps.NAME]`` becomes, and what it refuses."""

from __future__ import annotations

import tomllib

import pytest
from wsgi_matrix.config import matrix_toml
from wsgi_matrix.errors import ConfigError
from wsgi_matrix.model.app_environment import AppEnvironment, Service
from wsgi_matrix.model.axes import App
from wsgi_matrix.util.toml_file import TomlFile

MATRIX = """
[run]
built_in = true
[apps.shop]
path = "shop"
"""


@pytest.fixture
def app(tmp_path):
    (tmp_path / "token.txt").touch()

    def app(text: str) -> App:
        source = TomlFile(tmp_path / "matrix.toml")
        return matrix_toml.from_data(source, tomllib.loads(MATRIX + text)).apps["shop"]

    return app


def test_an_app_needs_nothing_unless_it_says_so(app, tmp_path):
    assert app("") == App(name="shop", path=tmp_path / "shop", needs=AppEnvironment())
    assert app("").needs.ready_path == ""


def test_all_of_it_is_read(app, tmp_path):
    found = app("""
framework = "flask"
setup = ["python manage.py migrate", "sh -c 'a b'"]
writable = "/data/x"
ready_path = "/health?a=1"
[apps.shop.environment]
KEY = "ü"
EMPTY = ""
[apps.shop.secrets]
token = "token.txt"
[apps.shop.services.db]
image = "postgres:17"
environment = { POSTGRES_PASSWORD = "x" }
command = ["-c", "fsync=off"]
port = 5432
[apps.shop.services.cache-1]
image = "redis"
""")
    assert found.framework == "flask"
    assert found.needs == AppEnvironment(
        environment=(("KEY", "ü"), ("EMPTY", "")),
        secrets=(("token", tmp_path / "token.txt"),),
        setup=(("python", "manage.py", "migrate"), ("sh", "-c", "a b")),
        writable="/data/x",
        services=(
            Service(
                name="db",
                image="postgres:17",
                environment=(("POSTGRES_PASSWORD", "x"),),
                command=("-c", "fsync=off"),
                port=5432,
            ),
            Service(name="cache-1", image="redis"),
        ),
        ready_path="/health?a=1",
        ready_status=200,
    )
    assert found.needs.ready_request == (b"GET /health?a=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert isinstance(hash(found), int)  # apps are members of sets


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "environment = { A-B = '1' }",
            "environment.A-B: expected a name of letters, digits and _",
        ),
        ("environment = { A = 1 }", "environment.A: expected a string, not 1"),
        (
            "secrets = { 'a b' = 'token.txt' }",
            'secrets."a b": expected a name of letters, digits, _ . -',
        ),
        (
            "secrets = { token = 'none' }",
            "secrets.token: expected an existing file ({}/none is not one)",
        ),
        ("setup = ['a \"b']", "setup.1: expected a command (No closing quotation)"),
        ("setup = ['']", 'setup.1: expected a non-empty string, not ""'),
        ("writable = 'data'", 'writable: expected an absolute path such as "/data"'),
        ("writable = '/data/../x'", 'writable: expected an absolute path such as "/data"'),
        ("writable = '/'", 'writable: expected an absolute path such as "/data"'),
        (
            "writable = '/srv'",
            "writable: expected a path outside /srv",
        ),
        ("writable = '/srv/x'", "writable: expected a path outside /srv"),
        ("writable = '/proc'", "writable: expected a path outside /srv"),
        ("ready_path = 'health'", 'ready_path: expected a path such as /health, not "health"'),
        ("ready_path = '/a b'", "ready_path: expected a path such as /health"),
        ("ready_status = 99", "ready_status: expected a whole number from 100 to 599"),
        ("ready_status = '200'", "ready_status: expected a whole number from 100 to 599"),
        (
            "services = { DB = { image = 'x' } }",
            "services.DB: expected a name of a-z, 0-9 and - inside",
        ),
        (
            "services = { -db = { image = 'x' } }",
            "services.-db: expected a name of a-z, 0-9 and - inside",
        ),
        ("services = { db = {} }", 'services.db: the key "image" is missing'),
        ("services = { db = { image = '' } }", "services.db.image: expected a non-empty string"),
        (
            "services = { db = { image = 'x', port = 0 } }",
            "services.db.port: expected a whole number from 1",
        ),
        ("services = { db = { imgae = 'x' } }", 'services.db.imgae: unknown key; did you mean "im'),
    ],
)
def test_a_mistake_is_told_with_its_key(app, tmp_path, text, told):
    with pytest.raises(ConfigError) as caught:
        app(text)
    start = f"{tmp_path}/matrix.toml: apps.shop.{told.format(tmp_path)}"
    assert str(caught.value).startswith(start), str(caught.value)


def test_placeholders_are_filled_in():
    environment = AppEnvironment(
        environment=(("DB", "{writable}/db {x}"), ("KEY", "{secrets}/key")),
        setup=(("python3", "manage.py", "{python}"), ("x", "python")),
    )
    places = {"writable": "/w", "secrets": "/s", "python": "/bin/py"}
    assert environment.variables(**places) == {
        "PYTHONHASHSEED": "0",
        "DB": "/w/db {x}",
        "KEY": "/s/key",
    }
    assert environment.commands(**places) == (("/bin/py", "manage.py", "/bin/py"), ("x", "python"))
    assert environment.names("writable")
    assert not environment.names("x}{")
