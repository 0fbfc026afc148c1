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


_TARGET = re.compile(r"([A-Za-z_][\w.]*)(?::([A-Za-z_][\w.]*)(\(\))?)?")


class LoadError(Exception):
    """The application cannot be had; the text says why, in one line."""


def load(target: str) -> Callable[..., Any]:
    """Import ``module:attribute`` and return the WSGI callable.

    ``attribute`` may be dotted and may end in ``()``, which calls a factory without arguments;
    without it, ``app`` and then ``application`` is taken. The working directory is on the path.
    Raises :class:`LoadError` if there is no such thing; what the module itself raises while it is
    imported passes through with its traceback.
    """
    match = _TARGET.fullmatch(target)
    if match is None:
        raise LoadError(f"{target!r} is not of the form module:attribute or module:factory()")
    module_name, path, factory = match.groups()
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        # Only if it is this module that is missing, not one that it imports.
        if error.name and (module_name == error.name or module_name.startswith(error.name + ".")):
            raise LoadError(
                f"there is no module {error.name!r} in {folder} or on the path"
            ) from None
        raise
    if path is None:
        path = next((name for name in ("app", "application") if hasattr(found, name)), "app")
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise LoadError(f"module {module_name!r} has no attribute {path!r}") from None
    if factory:
        if not callable(found):
            raise LoadError(f"{target!r}: {path} is not callable")
        found = found()
    if not callable(found):
        raise LoadError(f"{target!r} is a {type(found).__name__}, which is not callable")
    return found  # type: ignore[no-any-return]  # callable() was asked
