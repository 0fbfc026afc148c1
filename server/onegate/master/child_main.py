"""The processes that a master forks: from the fork to their end.

A child is a copy of the master in the middle of its work. What makes a process of its own of it:

- Signals are blocked from before the fork until :func:`after_fork` has taken the master's handlers
  away: none that was meant for the master is noted by a child, and none is lost that is its own.
- What only the master may hold is closed before any code of the application runs: a pipe whose
  other end a child keeps never reports that the master is gone, and a listener that somebody keeps
  open goes on taking connections that nobody accepts.
- A child never returns into the stack that it was forked in: :func:`run_child` is the boundary.
  What is raised above it is logged, and the process ends there.
"""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import gc
import importlib
import io
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from threading import Lock

from onegate._record import Record
from onegate.logs import log_files
from onegate.master.generations import Generation
from onegate.master.process_table import Role
from onegate.master.state import MasterState
from onegate.process import hooks, signals
from onegate.process.scoreboard import Scoreboard, Slot
from onegate.process.standard_streams import flush
from onegate.process.status_pipe import StatusPipe
from onegate.settings_error import SettingsError
from onegate.worker.worker import Worker
from onegate.wsgi.loader import LoadError, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from onegate.config.settings import Settings
    from onegate.master.zygote import Zygote

log = logging.getLogger("onegate.error")

BOOT_FAILED = 3
"""Exit status of a process whose application cannot be loaded."""
_FILES = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)


class ChildSpec(Record):
    """What a child is made with."""

    role: Role
    generation: Generation
    server: hooks.Server
    worker: hooks.Worker
    """Of a worker, what hooks see."""
    slot: Slot | None
    """Of a worker, where it counts."""
    scoreboard: Scoreboard
    status_fd: int
    """Write end of the pipe through which it reports."""
    lifeline: int
    """Read end of a pipe that reports end of file when the master is gone."""
    activated: list[int]
    """Descriptors of socket activation."""
    zygote: Zygote | None
    """Of a zygote, the socket between it and the master."""
    forked_at: float
    """Unix time: what was written since is not what was loaded."""


class BootError(Exception):
    """The application cannot be loaded or prepared; the log says why."""


def run_child(role: Role, main: Callable[[], None]) -> NoReturn:
    """Run ``main`` in a process that has just been forked, and end the process.

    Exit status: 0 when ``main`` returns, that of ``SystemExit``, 3 if the application cannot be
    loaded, 1 after any other exception, which is logged.
    """
    status = 1
    try:
        main()
        status = 0
    except (BootError, hooks.HookError):
        status = BOOT_FAILED
    except SystemExit as error:  # of a signal handler of the application, say
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        # Not left to sys.excepthook and sys.stderr, which may be the application's by now.
        log.exception("unexpected error in the %s", role.value)
    finally:
        _exit(status)


def _exit(status: int) -> NoReturn:
    """End this process as the interpreter would: threads that are no daemons come to their end,
    what was registered with ``atexit`` is called, and files that it has opened are written.

    The stack is not unwound, for below is the master's, and what called :func:`onegate.serve`.
    What was open before a fork is frozen and so not among the collector's objects: each of the
    workers would write what is buffered in it.
    """
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        flush()
        for each in gc.get_objects():
            if issubclass(type(each), _FILES):  # isinstance would ask proxies what they stand for
                with contextlib.suppress(Exception):
                    each.flush()
    finally:
        os._exit(status)


def after_fork(state: MasterState, spec: ChildSpec, mask: set[signal.Signals | int]) -> None:
    """Take away what is the master's alone. ``mask``: the signals to be blocked from now on."""
    signals.release()
    for descriptor in state.private_fds:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    own = spec.generation
    has_all = spec.role in (Role.STATUS, Role.SUCCESSOR)
    used = own.all_listeners() if has_all else own.listeners
    held = (*state.generations.all_listeners(), *state.handover.listeners.values())
    for listener in held:
        if listener not in used:
            listener.sock.close()
    for generation in state.generations.known:
        if generation.zygote is not None:
            generation.zygote.close()
        if generation is not own:
            generation.context.close()
    if spec.role is not Role.SUCCESSOR:
        state.handover.close()
    # The collector writes to what it looks at, and pages that are written to are not shared.
    gc.freeze()
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def enter_context(generation: Generation) -> None:
    """Run with directory, environment, umask and logs of ``generation``. Raises
    :class:`BootError`, with the reason in the log."""
    try:
        generation.context.enter()
    except OSError as error:
        log.error("--chdir: %s", error.strerror)
        raise BootError from None


def load_app(spec: ChildSpec) -> Callable[..., Any]:
    """Load the application. Raises :class:`BootError`, with the reason in the log.

    With ``--reload`` the reason is what every request is answered with, until a file has changed.
    """
    settings = spec.generation.settings
    try:
        _import_own(settings)
        _drop_privileges(settings)
        if spec.role is Role.WORKER:
            spec.generation.hooks("post_fork", spec.server, spec.worker)
    except SettingsError as error:
        log.error("%s", error)
        raise BootError from None
    try:
        app = load(settings.app)
    except BaseException as error:
        if isinstance(error, (LoadError, SettingsError)):
            log.error("%s", error)
        else:
            log.exception("the application %s cannot be loaded", settings.app)
        if not settings.reload:
            raise BootError from None
        from onegate.worker import autoreload  # noqa: PLC0415 - for development only

        app = autoreload.Broken(error)
    # What the folders of the path contain: needed no more, and made anew for a late import.
    sys.path_importer_cache.clear()
    return app


def _import_own(settings: Settings) -> None:
    """Import what a worker will need of ours, while it can be read and before the application may
    replace what its names stand for."""
    wanted = {
        "onegate.logs.access_log": settings.access_log != "off",
        "onegate.worker.autoreload": settings.reload,
        "onegate.worker.response_counts": bool(settings.status),
        "onegate.worker.leader_followers": settings.threads > 1,
        "onegate.net.tls": bool(settings.certfile),
    }
    for name, is_wanted in wanted.items():
        if is_wanted:
            importlib.import_module(name)


def _drop_privileges(settings: Settings) -> None:
    if settings.user or settings.group:
        from onegate.process.privileges import drop  # noqa: PLC0415 - only for who starts as root

        drop(settings.user, settings.group)


# ── what each of them does ────────────────────────────────────────────────────────────────────────


def worker_main(spec: ChildSpec) -> None:
    """Load the application, and serve it."""
    enter_context(spec.generation)
    spec.worker.pid = os.getpid()
    _serve(spec, load_app(spec))


def zygote_main(spec: ChildSpec) -> None:
    """Load the application once, and fork workers that have it."""
    enter_context(spec.generation)
    assert spec.zygote is not None
    settings = spec.generation.settings
    app = load_app(spec)

    def become(slot: int, age: int, status_fd: int) -> NoReturn:
        if look is not None:
            os.close(spec.status_fd)
        worker = hooks.Worker(age, settings)
        worker.pid, worker.ppid = os.getpid(), spec.worker.ppid
        own = spec.replace(
            role=Role.WORKER,
            worker=worker,
            slot=spec.scoreboard.slot(slot),
            status_fd=status_fd,
            zygote=None,
        )

        def main() -> None:
            own.generation.hooks("post_fork", own.server, worker)
            _serve(own, app)

        run_child(Role.WORKER, main)

    look, status_pipe = None, StatusPipe(spec.status_fd)
    if settings.reload:
        from onegate.worker import autoreload  # noqa: PLC0415 - for development only

        look = autoreload.reporter(
            settings, spec.forked_at, app, lambda: status_pipe.retires(large=False)
        )
    status_pipe.serves()
    if look is None:
        os.close(spec.status_fd)  # nothing more is reported, and workers are forked from here
    spec.zygote.serve(become, look)


def _serve(spec: ChildSpec, app: Callable[..., Any]) -> None:
    # A worker that is stuck, or crashes, shows where: the master sends SIGABRT before it kills.
    # By number, which the log keeps when it is reopened: it is written where Python cannot run.
    faulthandler.enable(file=log_files.present().error.fd, all_threads=True)
    generation, this = spec.generation, spec.worker
    settings = generation.settings
    if settings.threads > 1 and threading.Lock is not Lock:
        log.warning(
            "threading is monkey-patched (gevent or eventlet?): ignoring --threads %d, running one"
            " call at a time",
            settings.threads,
        )
        settings = settings.replace(threads=1)
    this.wsgi = app
    generation.hooks("post_worker_init", this)
    assert spec.slot is not None
    worker = Worker(
        settings,
        generation.listeners,
        this.wsgi,
        spec.lifeline,
        spec.slot,
        StatusPipe(spec.status_fd),
        generation.context.tls,
        on_interrupt=lambda: generation.hooks("worker_int", this),
    )
    if settings.reload and not settings.preload:  # with that, the zygote looks
        from onegate.worker import autoreload  # noqa: PLC0415 - for development only

        autoreload.watch(settings, spec.lifeline, spec.forked_at, app)
    try:
        worker.run()
    finally:
        generation.hooks("worker_exit", spec.server, this)


def status_main(spec: ChildSpec) -> None:
    """Answer on the second listener, whatever the workers are doing."""
    enter_context(spec.generation)
    listener = spec.generation.status
    assert listener is not None
    # Settings that are meant for the application do not apply to this process.
    settings = spec.generation.settings.replace(
        access_log="off",
        certfile="",
        environ=(),
        max_requests=0,
        max_worker_lifetime=0.0,
        max_worker_memory=0,
        proxy_protocol=False,
        root_path="",
        status="",
        threads=1,
        workers=1,
    )
    _drop_privileges(settings)
    from onegate.master.status_app import StatusApp  # noqa: PLC0415 - for this process only

    app = StatusApp(spec.scoreboard, spec.generation.listeners)
    own = Scoreboard(1).slot(0)
    Worker(settings, [listener], app, spec.lifeline, own, StatusPipe(spec.status_fd)).run()
