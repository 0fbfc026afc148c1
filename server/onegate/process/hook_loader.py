"""Reads the file of ``--hooks FILE``, which may be a gunicorn.conf.py: of what it contains, only
functions that have the name of a hook are used.
"""

from __future__ import annotations

import inspect
import logging
import os
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

from onegate.settings_error import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

log = logging.getLogger("onegate.error")

ABSENT = {
    "pre_request": "it would slow down every request; use WSGI middleware",
    "post_request": "it would slow down every request; use WSGI middleware or the access log",
    "ssl_context": "use --certfile and --keyfile, or a proxy in front for anything else",
}
"""Hooks of gunicorn that are never called, and why."""


def functions(path: str, counts: Mapping[str, int]) -> dict[str, Callable[..., object]]:
    """The hooks in the file ``path``.

    ``counts``: the hooks that there are, each with the number of its arguments. Raises
    :class:`SettingsError` if the file cannot be read or run, or a function in it does not take the
    arguments of its hook.
    """
    found = _run(path)
    chosen: dict[str, Callable[..., object]] = {}
    for name, count in counts.items():
        if (function := found.get(name)) is not None:
            chosen[name] = _checked(path, name, function, count)
    for name, reason in ABSENT.items():
        if found.get(name) is not None:
            log.warning("%s: hook %s is never called: %s", path, name, reason)
    return chosen


def _run(path: str) -> dict[str, Any]:
    try:
        os.stat(path)
    except OSError as error:
        raise SettingsError(f"--hooks {path}: {error.strerror}") from None
    # A module with a spec: from Python 3.15 on, formatting a traceback through functions of one
    # without (as runpy leaves it) is a DeprecationWarning, and an exception of a hook is logged.
    # It is not imported by its loader, which would write a __pycache__ next to the file.
    loader = SourceFileLoader("__config__", path)
    spec = spec_from_loader("__config__", loader)
    assert spec is not None
    module = module_from_spec(spec)
    try:
        exec(loader.source_to_code(loader.get_data(path), path), module.__dict__)  # noqa: S102 - it is theirs
        return module.__dict__
    except (Exception, SystemExit) as error:
        raise SettingsError(f"--hooks {path}: {type(error).__name__}: {error}") from error


def _checked(path: str, name: str, function: object, count: int) -> Callable[..., object]:
    if not callable(function):
        raise SettingsError(f"--hooks {path}: {name} is not callable")
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        raise SettingsError(
            f"--hooks {path}: {name} must accept {count} argument{'s'[: count != 1]}"
        ) from None
    except ValueError:
        pass  # a builtin, of which nothing is known
    return function
