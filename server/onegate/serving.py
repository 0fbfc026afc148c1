"""Serving from a program: :func:`serve` and :class:`Server`.

``serve(app)`` does what the command ``onegate`` does, for an application that is already loaded: a
master and workers, which are forked with the application as it is. It needs the main thread, since
only that one can handle signals. A :class:`Server` serves in the thread that runs it, without other
processes: next to something else, and for tests.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading

from onegate.settings_error import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext
    from typing import Any, Self

    from onegate.config.settings import Settings
    from onegate.worker.worker import Worker

_TARGET = f"{__name__}:served"
_LOADED = ("preload", "reload")
"""Options that make no sense for an application that is already loaded."""
_MASTER_ONLY = (
    *_LOADED,
    *("app", "config", "chdir", "env", "hooks", "reload_extra_file", "status", "workers"),
    *("raise_nofile", "timeout", "drain_delay", "max_requests", "max_requests_jitter"),
    *("max_worker_memory", "max_worker_lifetime", "user", "group", "umask", "pidfile"),
    *("access_log", "access_logfile", "error_logfile", "log_level"),
)
"""Options that do not apply to a :class:`Server`: it has no processes, and uses ``logging``."""

served: Any = None
"""The application passed to :func:`serve`, where the workers' loader finds it."""
_master = 0
"""Pid of the process in which :func:`serve` runs."""


def serve(app: Callable[..., Any], **settings: Any) -> int:
    """Serve ``app`` until a signal stops the server; return the exit status, which is 0.

    ``settings``: options by their names and with their values as in a configuration file, for
    example ``bind="127.0.0.1:8000"`` or ``workers=4``. They take precedence over ``ONEGATE_*``
    variables, which are read too. HUP and USR2 work as with the command, but only USR2 loads new
    code, by starting this program again. The call returns in this process only, not in workers.
    Outside of the main thread it is ``Server(app, **settings).run()``.

    Raises :class:`onegate.SettingsError` for an invalid setting or an address that cannot be bound,
    ``TypeError`` if ``app`` is not callable.
    """
    _check(app)
    if threading.current_thread() is not threading.main_thread():
        Server(app, **settings).run()
        return 0
    return as_master(app, read_settings(settings))


def read_settings(settings: dict[str, Any], *, text: bool = False) -> dict[str, Any]:
    """Convert values to those of the configuration. ``text``: all are text, as in a variable.

    Raises :class:`SettingsError`.
    """
    from onegate._suggest import hint  # noqa: PLC0415
    from onegate.config.settings import OPTIONS  # noqa: PLC0415 - given back after use

    found = {}
    for name, value in settings.items():
        option = OPTIONS.get(name)
        if option is None or name == "app":
            raise SettingsError(f"unknown setting {name!r}{hint(name, OPTIONS)}")
        kind = option.kind
        try:
            if text:
                found[name] = kind.parse_variable(value)
            else:
                found[name] = kind.from_toml(list(value) if isinstance(value, tuple) else value)
        except ValueError:
            raise SettingsError(
                f"{name}: invalid value {value!r}, expected {kind.expects}"
            ) from None
    return found


def _check(app: object) -> None:
    if not callable(app):
        raise TypeError(f"the application must be callable, not {type(app).__name__}")


# ── a master and workers ─────────────────────────────────────────────────────────────────────────


def as_master(app: Callable[..., Any], values: dict[str, Any]) -> int:
    """:func:`serve`, in the main thread, with values as :func:`read_settings` returns them."""
    from onegate.cli import Invocation  # noqa: PLC0415 - only for who serves so
    from onegate.master.execution_environment import ExecutionEnvironment  # noqa: PLC0415
    from onegate.process.standard_streams import open_missing  # noqa: PLC0415

    global served, _master
    open_missing()
    invocation = Invocation({**values, "app": _TARGET})

    def read() -> Settings:
        settings = invocation.read_settings()
        for name in _LOADED:
            if getattr(settings, name):
                raise SettingsError(
                    f"{name}: not available with serve(): the application is already loaded"
                )
        return settings

    settings = read()
    context = ExecutionEnvironment(settings, invocation.start)
    context.enter()
    from onegate.master.master import Master  # noqa: PLC0415
    from onegate.process.signals import SIGNALS  # noqa: PLC0415

    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    served, _master = app, os.getpid()
    try:
        return Master(settings, context, read).run()
    finally:
        served, _master = None, 0
        signal.set_wakeup_fd(-1)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _after_fork() -> None:
    """In a child: drop the program's atexit functions, which are not the child's."""
    global _forked  # noqa: PLW0603
    if _master and not _forked:
        _forked = True
        atexit._clear()


_forked = False
os.register_at_fork(after_in_child=_after_fork)


# ── one thread ───────────────────────────────────────────────────────────────────────────────────


class NoMaster:
    """The status pipe of a worker without a master."""

    def __init__(self) -> None:
        self.is_served = threading.Event()

    def serves(self) -> None:
        """Requests are served from now on."""
        self.is_served.set()

    def retires(self, *, large: bool) -> None:
        """Ignored: there is no master to replace it."""


class Server:
    """Serves ``app`` in this process. It listens from its creation on, and serves in :meth:`run`.

    ``settings``: those of :func:`serve` except for the ones that concern processes (``workers``,
    ``timeout``, …); no variables are read. ``urls``: where it listens, in the order of ``bind``. It
    handles no signals. Messages go to the program's ``logging``, as "onegate.error". As a context
    manager it runs in a thread of its own until the end of the block.

    Raises :class:`onegate.SettingsError` for an invalid setting or an address that cannot be bound,
    ``TypeError`` if ``app`` is not callable.
    """

    def __init__(self, app: Callable[..., Any], **settings: Any) -> None:
        from onegate.config.settings import Settings  # noqa: PLC0415
        from onegate.net.listeners import open_listeners  # noqa: PLC0415 - only for who serves so
        from onegate.validate_settings import validate  # noqa: PLC0415

        _check(app)
        if wrong := [name for name in settings if name in _MASTER_ONLY]:
            raise SettingsError(
                f"{wrong[0]}: not available with Server, which serves in a thread of this process;"
                " call serve() in the main thread for a master and workers"
            )
        made = Settings(**read_settings(settings))
        self._lock = threading.Lock()
        self._stopped = self._begun = False
        self._thread: threading.Thread | None = None
        self._line = NoMaster()
        context = validate(made)
        self._listeners, _ = open_listeners(made, {}, [])
        self._lifeline, self._end = os.pipe2(os.O_CLOEXEC)
        try:
            self._worker = self._made(made, app, context)
        except BaseException:
            os.close(self._end)
            self._close()
            raise
        self.urls = [each.url(made) for each in self._listeners]

    def _made(
        self, settings: Settings, app: Callable[..., Any], context: SSLContext | None
    ) -> Worker:
        from onegate.process.scoreboard import Field, Scoreboard  # noqa: PLC0415
        from onegate.worker.worker import Worker  # noqa: PLC0415

        slot = Scoreboard(1).slot(0)
        slot[Field.STOPPING] = 1.0  # whoever is in the queue at the end has nobody but this one
        return Worker(
            settings,
            self._listeners,
            app,
            self._lifeline,
            slot,
            self._line,
            context,
            handles_signals=False,
        )

    def run(self) -> None:
        """Serve until :meth:`stop` is called and all requests in flight are answered. Only once."""
        with self._lock:
            if self._stopped:
                return
            if self._begun:
                raise RuntimeError("this Server is already running")
            self._begun = True
        try:
            self._worker.run()
        finally:
            self._line.serves()  # nobody is to wait for it any more
            self.stop()
            self._worker.release()
            self._close()

    def stop(self) -> None:
        """Make :meth:`run` return, after at most ``graceful_timeout`` seconds and the calls still
        running then. Can be called from any thread, and repeatedly."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
            for listener in self._listeners:
                listener.refuse()
            os.close(self._end)
            if not self._begun:
                self._worker.release()
                self._close()

    def _close(self) -> None:
        for listener in self._listeners:
            listener.close(unlink=True)
        os.close(self._lifeline)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.run, name="onegate", daemon=True)
        self._thread.start()
        self._line.is_served.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        assert self._thread is not None
        self._thread.join()
