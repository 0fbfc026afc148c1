"""Finds the application that the command line names."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_TARGET = re.compile(
    r"(?P<module>[A-Za-z_][\w.]*)(?::(?P<path>[A-Za-z_][\w.]*)(?P<call>\(.*\))?)?", re.DOTALL
)
Arguments = tuple[list["Any"], dict[str, "Any"]]


class LoadError(Exception):
    """The application cannot be loaded; the text says why, in one line."""


def parse(target: str) -> tuple[str, str | None, Arguments | None]:
    """Module, attribute and arguments of ``module:attribute`` or ``module:factory(...)``.

    The arguments are literals (:func:`ast.literal_eval`), by position or by name; None if nothing
    is called. Raises :class:`LoadError`.
    """
    match = _TARGET.fullmatch(target)
    if match is None:
        raise LoadError(
            f"{target!r} is not of the form module:attribute or module:factory(arguments)"
        )
    call = match["call"]
    return match["module"], match["path"], None if call is None else _arguments(target, call)


def _arguments(target: str, call: str) -> Arguments:
    if not call[1:-1].strip():
        return [], {}
    import ast  # noqa: PLC0415 - megabytes, and most targets are a name

    try:
        found = ast.parse(f"f{call}", mode="eval").body
        if not isinstance(found, ast.Call) or not isinstance(found.func, ast.Name):
            raise ValueError
        named = {each.arg: ast.literal_eval(each.value) for each in found.keywords if each.arg}
        if len(named) < len(found.keywords):
            raise ValueError  # **
        return [ast.literal_eval(each) for each in found.args], named
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        raise LoadError(
            f"{target!r}: the arguments {call} are not literals such as ('x', 1, debug=True)"
        ) from None


def load(target: str) -> Callable[..., Any]:
    """Import ``module:attribute`` and return the WSGI callable.

    ``attribute`` may be dotted, and may end in ``()`` with literals as arguments, which calls a
    factory; without it, ``app`` and then ``application`` is taken. The working directory is on the
    path.
    Raises :class:`LoadError` if there is no such thing; what the module itself raises while it is
    imported passes through with its traceback.
    """
    module_name, path, arguments = parse(target)
    directory = os.getcwd()
    if directory not in sys.path:
        sys.path.insert(0, directory)
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        # Only if it is this module that is missing, not one that it imports.
        if error.name and (module_name == error.name or module_name.startswith(error.name + ".")):
            raise LoadError(
                f"there is no module {error.name!r} in {directory} or on the path"
                + _hidden(module_name, directory)
            ) from None
        raise
    if path is None:
        path = next((name for name in ("app", "application") if hasattr(found, name)), "app")
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise LoadError(
                f"module {module_name!r} has no attribute {path!r}"
                + _hidden(module_name, directory)
            ) from None
    if arguments is not None:
        if not callable(found):
            raise LoadError(f"{target!r}: {path} is not callable")
        positional, named = arguments
        found = found(*positional, **named)
    if not callable(found):
        raise LoadError(f"{target!r} is a {type(found).__name__}, which is not callable")
    return found  # type: ignore[no-any-return]  # it is callable, see above


def _hidden(module: str, directory: str) -> str:
    """What to do if a module of ``directory`` is not found because the standard library has one of
    its name, which is imported already."""
    top = module.partition(".")[0]
    there = any(os.path.exists(os.path.join(directory, name)) for name in (top, f"{top}.py"))
    if top not in sys.stdlib_module_names or not there:
        return ""
    return f"; {top!r} is a module of the standard library: give yours another name"
