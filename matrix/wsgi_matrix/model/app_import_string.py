"""Names of applications: ``mypkg.wsgi:app``, or a factory, ``mypkg:create_app()``.

Not every server can call a factory. So a module that calls it is written next to the app, and every
server loads that module.
"""

from __future__ import annotations

import ast
import re
from typing import Annotated

from wsgi_matrix.util.schema_types import written_as

FACTORY = "wsgi_matrix_factory"
"""The module that calls a factory; the application is its ``app``."""
FORM = "mypkg.wsgi:app, or for a factory mypkg:create_app()"
_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def check(target: str) -> str:
    """Return ``target`` if it is valid. Raises :class:`ValueError` with what was expected.

    Arguments of a factory are literals, as in gunicorn: they are part of a name, not code.
    """
    module, _, name = target.partition(":")
    try:
        parsed = ast.parse(name, mode="eval").body
    except (SyntaxError, ValueError):
        parsed = None
    called = parsed.func if isinstance(parsed, ast.Call) else parsed
    if not _MODULE.fullmatch(module) or not _is_name(called):
        raise ValueError(f"a module and its WSGI callable such as {FORM}")
    if isinstance(parsed, ast.Call):
        arguments = [*parsed.args, *(each.value for each in parsed.keywords)]
        if any(each.arg is None for each in parsed.keywords) or not all(map(_literal, arguments)):
            raise ValueError(
                "a factory whose arguments are literals, such as mypkg:create_app('test', 8)"
            )
    return target


Target = Annotated[str, written_as(str, lambda value, _: check(value))]
"""A target in a ``matrix.toml``."""


def is_factory(target: str) -> bool:
    """Whether ``target`` is a call that returns the application."""
    return target.endswith(")")


def not_called(target: str) -> str:
    """Advice for a ``target`` that may be a factory which is not called."""
    return f"if {target} is a factory, it must be called: {target}()"


def loaded(target: str) -> str:
    """The name that servers load for ``target``."""
    return f"{FACTORY}:app" if is_factory(target) else target


def source(target: str) -> str:
    """Source code of the module that calls a factory."""
    module, _, call = target.partition(":")
    return f"from importlib import import_module\n\napp = import_module({module!r}).{call}\n"


def _is_name(node: ast.expr | None) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
