"""To serve from a program of one's own: :func:`serve` and :class:`Server`.

``serve(app)`` is the command ``onegate`` for an application that is at hand: a master and workers,
which are forked with the application as it is. It needs the main thread, which alone has signals.
A :class:`Server` serves in the thread that runs it, without other processes: beside something
else, and for tests.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import traceback

from onegate.errors import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext
    from typing import Any, NoReturn, Self

    from onegate.config.settings import Settings
    from onegate.worker.worker import Worker

_TARGET = f"{__name__}:served"
_LOADED = ("preload", "reload")
"""The application is loaded, once and for all, when it is handed over."""
_OF_A_MASTER = (
    *_LOADED,
    *("app", "config", "chdir", "env", "hooks", "reload_extra_file", "status", "workers"),
    *("raise_nofile", "timeout", "drain_delay", "max_requests", "max_requests_jitter"),
    *("max_worker_memory", "max_worker_lifetime", "user", "group", "umask", "pidfile"),
    *("access_log", "access_logfile", "error_logfile", "log_level"),
)
"""Options of processes, of which a :class:`Server` has none; its messages go to ``logging``."""

served: Any = None
"""The application that :func:`serve` was given, where the workers' loader finds it."""
_master = 0
"""Process in which :func:`serve` runs."""


def serve(app: Callable[..., Any], **settings: Any) -> int:
    """Serve ``app`` until told to stop by a signal; return the exit status, which is 0.

    ``settings``: options by their names in a configuration file, ``bind="127.0.0.1:8000"`` or
    ``workers=4``, say, with values as there. They are stronger than ``ONEGATE_*`` variables, which
    are read too. HUP and USR2 work as ever; but it is USR2 that loads new code, by starting this
    program anew. Code behind the call runs in this process only, when all is over. In a thread
    that is not the main one it is ``Server(app, **settings).run()``.

    Raises :class:`onegate.SettingsError` for a setting that cannot be used and an address that
    cannot be bound, ``TypeError`` if ``app`` is not callable.
    """
    _check(app)
    if threading.current_thread() is not threading.main_thread():
        Server(app, **settings).run()
        return 0
    return as_master(app, given(settings))


def given(settings: dict[str, Any], *, text: bool = False) -> dict[str, Any]:
    """Values as the configuration keeps them. ``text``: they are all text, as in a variable.

    Raises :class:`SettingsError`.
    """
    from onegate._suggest import hint  # noqa: PLC0415
    from onegate.config.settings import OPTIONS  # noqa: PLC0415 - given back after use

    found = {}
    for name, value in settings.items():
        option = OPTIONS.get(name)
        if option is None or name == "app":
            raise SettingsError(f"there is no setting {name!r}{hint(name, OPTIONS)}")
        kind = option.kind
        try:
            if text:
                found[name] = kind.read_all(value)
            else:
                found[name] = kind.take(list(value) if isinstance(value, tuple) else value)
        except ValueError:
            raise SettingsError(f"{name}={value!r} is not {kind.expects}") from None
    return found


def _check(app: object) -> None:
    if not callable(app):
        raise TypeError(f"the application is a {type(app).__name__}, which is not callable")


# ── a master and workers ─────────────────────────────────────────────────────────────────────────


def as_master(app: Callable[..., Any], values: dict[str, Any]) -> int:
    """:func:`serve`, in the main thread, with values as :func:`given` returns them."""
    from onegate.cli import Sources  # noqa: PLC0415 - only for who serves so
    from onegate.master.fork_context import ForkContext  # noqa: PLC0415
    from onegate.process.stdio import open_missing  # noqa: PLC0415

    global served, _master
    open_missing()
    sources = Sources({**values, "app": _TARGET})

    def read() -> Settings:
        settings = sources.read()
        for name in _LOADED:
            if getattr(settings, name):
                raise SettingsError(f"{name}: the application is loaded by who calls serve()")
        return settings

    settings = read()
    context = ForkContext(settings, sources.start)
    context.enter()
    from onegate.master.master import Master  # noqa: PLC0415
    from onegate.process.signals import SIGNALS  # noqa: PLC0415

    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    served, _master = app, os.getpid()
    status: int | str | None = 1
    try:
        status = Master(settings, context, read).run()
    except SystemExit as error:  # how a child ends
        status = 0 if error.code is None else error.code
        if os.getpid() == _master:
            raise
    except BaseException:
        if os.getpid() == _master:
            raise
        traceback.print_exc()
    finally:
        if os.getpid() != _master:
            _end(status if isinstance(status, int) else 1)
        served, _master = None, 0
        signal.set_wakeup_fd(-1)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert isinstance(status, int)
    return status


def _after_fork() -> None:
    """In a child: what the program wants to do at its own end is not the child's."""
    global _forked  # noqa: PLW0603
    if _master and not _forked:
        _forked = True
        atexit._clear()


_forked = False
os.register_at_fork(after_in_child=_after_fork)


def _end(status: int) -> NoReturn:
    """End a child here: what called serve() is not to go on in it.

    What the application has registered is done first, as ever.
    """
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(status)


# ── one thread ───────────────────────────────────────────────────────────────────────────────────


class Alone:
    """Where a worker would tell its master how it is."""

    def __init__(self) -> None:
        self.is_served = threading.Event()

    def serves(self) -> None:
        """Requests are answered from now on."""
        self.is_served.set()

    def retires(self, *, large: bool) -> None:
        """Nobody could replace it."""


class Server:
    """Serves ``app`` in this process: it listens when it is made, and serves while it ``run``s.

    ``settings``: as of :func:`serve`, but those of processes (``workers``, ``timeout`` ...); no
    variables are read. ``urls``: where it listens, in the order of ``bind``. No signal is
    handled. Messages go to the program's ``logging``, as "onegate.error". As a context manager it
    runs in a thread of its own until the end of the block.

    Raises :class:`onegate.SettingsError` for a setting that cannot be used and an address that
    cannot be bound, ``TypeError`` if ``app`` is not callable.
    """

    def __init__(self, app: Callable[..., Any], **settings: Any) -> None:
        from onegate.config.settings import Settings  # noqa: PLC0415
        from onegate.net.bind import open_listeners  # noqa: PLC0415 - only for who serves so
        from onegate.validate import validate  # noqa: PLC0415

        _check(app)
        if wrong := [name for name in settings if name in _OF_A_MASTER]:
            raise SettingsError(
                f"{wrong[0]}: a Server is one thread of this process; serve() in the main thread"
                " has a master and workers"
            )
        made = Settings(**given(settings))
        self._lock = threading.Lock()
        self._stopped = self._begun = False
        self._thread: threading.Thread | None = None
        self._line = Alone()
        context = validate(made)
        self._listeners = open_listeners(made, {}, [])
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
        """Serve until :meth:`stop`, and until all is answered that was asked. Once."""
        with self._lock:
            if self._stopped:
                return
            if self._begun:
                raise RuntimeError("this Server runs already")
            self._begun = True
        try:
            self._worker.run()
        finally:
            self._line.serves()  # nobody is to wait for it any more
            self.stop()
            self._worker.release()
            self._close()

    def stop(self) -> None:
        """Have :meth:`run` end, within ``graceful_timeout`` seconds and the calls that then still
        last. From any thread, and more than once."""
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
