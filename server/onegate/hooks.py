"""The hooks of ``--hooks FILE``, as they are called; :mod:`onegate.hook_file` reads them."""

from __future__ import annotations

import logging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from onegate.settings.model import Settings

log = logging.getLogger("onegate.error")

_DECISIVE = {"on_starting", "post_fork", "post_worker_init"}


class _Process:
    def __init__(self, pid: int, cfg: Settings) -> None:
        self.pid = pid
        self.cfg = cfg
        self.log = log


class Server(_Process):
    """The master, as hooks see it."""


class Worker(_Process):
    """A worker, as hooks see it. ``pid``: 0 in ``pre_fork``, where it has none yet."""


class Hooks:
    """The functions of a file; without a file none.

    Raises :class:`onegate.settings.SettingsError` as :func:`onegate.hook_file.functions` does.
    """

    def __init__(self, path: str = "") -> None:
        self._functions: dict[str, Callable[..., object]] = {}
        if path:
            from onegate import hook_file  # noqa: PLC0415 - only with --hooks

            self._functions = hook_file.functions(path)

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
