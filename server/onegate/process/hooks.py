"""Hooks: functions of ``--hooks FILE``, called at points in the life of the processes.

Names and arguments are gunicorn's, so that a gunicorn.conf.py can be used as it is
(:mod:`onegate.process.hook_loader` reads it). The arguments are a :class:`Server` and a
:class:`Worker`.

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

import logging
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from onegate.config.settings import Settings

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
_FATAL = {"on_starting", "post_fork", "post_worker_init"}


class HookError(Exception):
    """One of the hooks that abort on failure has failed; the log says why."""


class Server:
    """The master, as hooks see it: one object for its whole life, so that what one hook sets on it
    is there for the others. Its attributes have the names of gunicorn's ``Arbiter``."""

    def __init__(self, pid: int, cfg: Settings) -> None:
        self.pid = pid
        self.cfg = cfg
        self.log = log
        self.num_workers = cfg.workers
        """Target number of workers."""
        self.worker_age = 0
        """Number of workers created so far."""
        self.WORKERS: dict[int, Worker] = {}
        """The current workers, by pid."""

    @property
    def address(self) -> list[tuple[str, int] | str | int]:
        """What ``--bind`` says: host and port, the path of a Unix socket, or a descriptor."""
        return [_parsed(address) for address in self.cfg.bind]


def _parsed(address: str) -> tuple[str, int] | str | int:
    for prefix, kind in (("unix:", str), ("fd://", int)):
        if address.startswith(prefix):
            return kind(address.removeprefix(prefix))
    host, _, port = address.rpartition(":")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 - as it is bound


class Worker:
    """A worker, as hooks see it. Its attributes have the names of gunicorn's ``Worker``.

    The object that ``pre_fork`` gets is that of the later hooks, in the master and, unless a
    zygote makes the worker (``--preload``), in the worker too.
    """

    def __init__(self, age: int, cfg: Settings) -> None:
        self.age = age
        """1 for the first worker of the server, 2 for the second, and so on."""
        self.pid = 0
        """0 in ``pre_fork``, before it has one."""
        self.ppid = os.getpid()
        self.cfg = cfg
        self.log = log
        self.wsgi: Callable[..., Any] | None = None
        """The application, from ``post_worker_init`` on, which may replace it."""


class Hooks:
    """The functions of a file; without a file none.

    Raises :class:`onegate.SettingsError` as
    :func:`onegate.process.hook_loader.functions` does.
    """

    def __init__(self, path: str = "") -> None:
        self._functions: dict[str, Callable[..., object]] = {}
        if path:
            from onegate.process import hook_loader  # noqa: PLC0415 - only with --hooks

            self._functions = hook_loader.functions(path, HOOKS)

    def __call__(self, name: str, *arguments: object) -> None:
        """Call the hook ``name``, if there is one. An exception in it is logged, ``SystemExit``
        included.

        Raises :class:`HookError` then if it is on_starting, post_fork or post_worker_init, since
        nothing should be served half prepared; the failure of any other hook is ignored.
        """
        function = self._functions.get(name)
        if function is None:
            return
        try:
            function(*arguments)
        except (Exception, SystemExit) as error:
            log.exception("hook %s failed", name)
            if name in _FATAL:
                raise HookError(name) from error
