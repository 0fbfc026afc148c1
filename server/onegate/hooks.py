"""``--hooks FILE``: functions of a Python file, called at points in the life of the processes.

Names and arguments are gunicorn's, so that a gunicorn.conf.py can be named as it is; its other
contents are not looked at. What the arguments offer is this module's :class:`Server` and
:class:`Worker`: ``pid``, ``log``, and the settings as ``cfg``.

    in the master                              in a worker
    on_starting(server)                        post_fork(server, worker)
    when_ready(server)                         post_worker_init(worker)
    on_reload(server)                          worker_int(worker)    INT or QUIT came
    pre_fork(server, worker)                   worker_abort(worker)  its call timed out
    child_exit(server, worker)                 worker_exit(server, worker)
    nworkers_changed(server, new, old)
    pre_exec(server)                           before SIGUSR2's new program
    on_exit(server)
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from onegate.settings import Settings, SettingsError

log = logging.getLogger("onegate.error")


class _Process:
    def __init__(self, pid: int, cfg: Settings) -> None:
        self.pid = pid
        self.cfg = cfg
        self.log = log


class Server(_Process):
    """The master, as hooks see it."""


class Worker(_Process):
    """A worker, as hooks see it. ``pid``: 0 in ``pre_fork``, where it has none yet."""


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
"""How many arguments each hook is called with."""
ABSENT = {
    "pre_request": "it would cost every request; use a WSGI middleware",
    "post_request": "it would cost every request; use a WSGI middleware or the access log",
    "ssl_context": "TLS has --certfile and --keyfile, and a proxy in front for the rest",
}
"""Hooks of gunicorn that are never called, and why."""
_DECISIVE = {"on_starting", "post_fork", "post_worker_init"}


class Hooks:
    """The functions of a file; without a file none.

    Raises :class:`SettingsError` if the file cannot be read or run, or a function in it does not
    take the arguments of its hook.
    """

    def __init__(self, path: str = "") -> None:
        self._functions: dict[str, Callable[..., object]] = {}
        if not path:
            return
        found = _run(Path(path))
        for name, count in HOOKS.items():
            if (function := found.get(name)) is not None:
                _check(path, name, function, count)
                self._functions[name] = function
        for name, reason in ABSENT.items():
            if found.get(name) is not None:
                log.warning("%s: the hook %s is not called: %s", path, name, reason)

    def __call__(self, name: str, *arguments: object) -> None:
        """Call the hook ``name``, if there is one.

        What is raised by a hook that prepares (on_starting, post_fork, post_worker_init) passes
        through: nothing is served half prepared. From any other it is logged, and life goes on.
        """
        function = self._functions.get(name)
        if function is None:
            return
        try:
            function(*arguments)
        except Exception:
            if name in _DECISIVE:
                raise
            log.exception("the hook %s failed", name)


def _run(path: Path) -> dict[str, Any]:
    try:
        path.stat()
    except OSError as error:
        raise SettingsError(f"--hooks {path}: {error.strerror}") from None
    import runpy  # noqa: PLC0415 - only with --hooks

    try:
        return runpy.run_path(str(path), run_name="__config__")
    except Exception as error:
        raise SettingsError(f"--hooks {path}: {type(error).__name__}: {error}") from error


def _check(path: str, name: str, function: object, count: int) -> None:
    import inspect  # noqa: PLC0415 - see above

    if not callable(function):
        raise SettingsError(f"--hooks {path}: {name} is not a function")
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        raise SettingsError(
            f"--hooks {path}: {name} has to take {count} argument{'s'[: count != 1]}"
        ) from None
    except ValueError:
        return  # a builtin, of which nothing is known
