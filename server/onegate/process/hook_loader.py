"""``--hooks FILE``: functions of a Python file, called at points in the life of the processes.

Names and arguments are gunicorn's, so that a gunicorn.conf.py can be used as it is; its other
contents are ignored. The arguments are a :class:`onegate.process.hooks.Server` and a
:class:`onegate.process.hooks.Worker`.

    in the master                              in a worker
    on_starting(server)                        post_fork(server, worker)
    when_ready(server)                         post_worker_init(worker)
    on_reload(server)                          worker_int(worker)    INT or QUIT came
    pre_fork(server, worker)                   worker_exit(server, worker)
    worker_abort(worker)  its call timed out
    child_exit(server, worker)
    nworkers_changed(server, new, old)
    pre_exec(server)                           before SIGUSR2's new program
    on_exit(server)
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
    from collections.abc import Callable
    from typing import Any

log = logging.getLogger("onegate.error")

HOOKS: dict[str, int] = {
    "on_starting": 1,
    "when_ready": 1,
    "on_reload": 1,
    "pre_fork": 2,
    "post_fork": 2,
    "post_worker_init": 1,
    "worker_int": 1,
    "worker_abort": 1,
    "worker_exit": 2,
    "child_exit": 2,
    "nworkers_changed": 3,
    "pre_exec": 1,
    "on_exit": 1,
}
"""The number of arguments of each hook."""
ABSENT = {
    "pre_request": "it would slow down every request; use WSGI middleware",
    "post_request": "it would slow down every request; use WSGI middleware or the access log",
    "ssl_context": "use --certfile and --keyfile, or a proxy in front for anything else",
}
"""Hooks of gunicorn that are never called, and why."""


def functions(path: str) -> dict[str, Callable[..., object]]:
    """The hooks in the file ``path``.

    Raises :class:`SettingsError` if the file cannot be read or run, or a function in it does not
    take the arguments of its hook.
    """
    found = _run(path)
    chosen: dict[str, Callable[..., object]] = {}
    for name, count in HOOKS.items():
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
