"""The hooks of ``--hooks FILE``, as they are called; :mod:`.hook_loader` reads them."""

from __future__ import annotations

import logging
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from onegate.config.settings import Settings

log = logging.getLogger("onegate.error")

_DECISIVE = {"on_starting", "post_fork", "post_worker_init"}


class HookError(Exception):
    """A hook that prepares has failed; the log says why."""


class Server:
    """The master, as hooks see it: one object for as long as it lives, so that what a hook sets on
    it is there for the others. Its names are those of gunicorn's ``Arbiter``."""

    def __init__(self, pid: int, cfg: Settings) -> None:
        self.pid = pid
        self.cfg = cfg
        self.log = log
        self.num_workers = cfg.workers
        """How many workers are wanted."""
        self.worker_age = 0
        """How many have been made."""
        self.WORKERS: dict[int, Worker] = {}
        """Those that there are, by process number."""

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
    """A worker, as hooks see it. Its names are those of gunicorn's ``Worker``.

    The object that ``pre_fork`` gets is that of the later hooks, in the master and, unless a
    zygote makes the worker (``--preload``), in the worker too.
    """

    def __init__(self, age: int, cfg: Settings) -> None:
        self.age = age
        """1 for the first that the server has made, 2 for the second."""
        self.pid = 0
        """0 in ``pre_fork``, where it has none yet."""
        self.ppid = os.getpid()
        self.cfg = cfg
        self.log = log
        self.wsgi: Callable[..., Any] | None = None
        """The application, from ``post_worker_init`` on, which may put another in its place."""


class Hooks:
    """The functions of a file; without a file none.

    Raises :class:`onegate.errors.SettingsError` as
    :func:`onegate.process.hook_loader.functions` does.
    """

    def __init__(self, path: str = "") -> None:
        self._functions: dict[str, Callable[..., object]] = {}
        if path:
            from onegate.process import hook_loader  # noqa: PLC0415 - only with --hooks

            self._functions = hook_loader.functions(path)

    def __call__(self, name: str, *arguments: object) -> None:
        """Call the hook ``name``, if there is one. What it raises is logged; ``sys.exit`` ends no
        server either.

        Raises :class:`HookError` then if it is one that prepares (on_starting, post_fork,
        post_worker_init): nothing is served half prepared. After any other life goes on.
        """
        function = self._functions.get(name)
        if function is None:
            return
        try:
            function(*arguments)
        except (Exception, SystemExit) as error:
            log.exception("the hook %s failed", name)
            if name in _DECISIVE:
                raise HookError(name) from error
