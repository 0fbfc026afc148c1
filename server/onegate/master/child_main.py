"""The processes that a master forks, and what they do first.

A child starts with the master's signals blocked and the master's descriptors open; both are put
right here, before any code of the application runs.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import importlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from threading import Lock

from onegate.errors import SettingsError
from onegate.logs import error_log
from onegate.master.generations import Nest
from onegate.master.process_table import Role
from onegate.master.upgrade import exec_successor, stand_between
from onegate.process import hooks, signals
from onegate.process.scoreboard import Scoreboard, Slot
from onegate.process.status_pipe import StatusPipe
from onegate.worker.worker import Worker
from onegate.wsgi.loader import LoadError, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from onegate.config.settings import Settings
    from onegate.master.zygote import Template

log = logging.getLogger("onegate.error")

BOOT_FAILED = 3
"""Exit status of a process whose application cannot be loaded."""


def leave(master_descriptors: list[int], held: set[signal.Signals | int]) -> None:
    """Turn a fork of the master into a process of its own. ``held``: the signals that it blocks."""
    signals.release()
    for descriptor in master_descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    # The collector writes to what it looks at, and pages that are written to are not shared.
    gc.freeze()
    signal.pthread_sigmask(signal.SIG_SETMASK, held)


def load_app(nest: Nest, role: Role) -> Callable[..., Any]:
    """Load the application, or end the process with the reason in the log.

    With ``--reload`` the reason is what every request is answered with, until a file has changed.
    """
    settings = nest.settings
    try:
        _import_own(settings)
        _drop_privileges(settings)
        if role is Role.WORKER:
            nest.hooks("post_fork", nest.server, nest.worker)
    except SettingsError as error:
        log.error("%s", error)
        sys.exit(BOOT_FAILED)
    try:
        app = load(settings.app)
    except BaseException as error:
        if isinstance(error, (LoadError, SettingsError)):
            log.error("%s", error)
        else:
            log.exception("the application %s cannot be loaded", settings.app)
        if not settings.reload:
            sys.exit(BOOT_FAILED)
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
        "onegate.worker.threaded": settings.threads > 1,
        "onegate.net.tls": bool(settings.certfile),
    }
    for name, is_wanted in wanted.items():
        if is_wanted:
            importlib.import_module(name)


def _drop_privileges(settings: Settings) -> None:
    if settings.user or settings.group:
        from onegate.process.privileges import drop  # noqa: PLC0415 - only for who starts as root

        drop(settings.user, settings.group)


def be(
    role: Role,
    nest: Nest,
    slot: Slot | None,
    line: int,
    template: Template | None,
    scoreboard: Scoreboard,
) -> NoReturn:
    """Do the work of ``role`` in a process that has just been forked; ends it."""
    if role is Role.SUCCESSOR:
        stand_between(line, nest.lifeline)
        status = [nest.status] if nest.status is not None else []
        exec_successor(nest.context.start, nest.listeners + status, line, nest.activated)
    try:
        nest.context.enter()
    except OSError as error:
        log.error("--chdir: %s", error.strerror)
        sys.exit(BOOT_FAILED)
    if role is Role.STATUS:
        be_status(nest, scoreboard, line)
    if role is Role.TEMPLATE:
        assert template is not None
        be_template(nest, template, scoreboard, line)
    assert slot is not None
    nest.worker.pid = os.getpid()
    be_worker(nest, slot, line, lambda: load_app(nest, role))


def be_template(nest: Nest, template: Template, scoreboard: Scoreboard, line: int) -> NoReturn:
    """Load the application once, and fork workers that have it."""
    app = load_app(nest, Role.TEMPLATE)

    def become(slot: int, age: int, own: int) -> NoReturn:
        if look is not None:
            os.close(line)
        worker = hooks.Worker(age, nest.settings)
        worker.pid, worker.ppid = os.getpid(), nest.worker.ppid

        def prepared() -> Callable[..., Any]:
            nest.hooks("post_fork", nest.server, worker)
            return app

        be_worker(nest.replace(worker=worker), scoreboard.slot(slot), own, prepared)

    look, own_line = None, StatusPipe(line)
    if nest.settings.reload:
        from onegate.worker import autoreload  # noqa: PLC0415 - for development only

        look = autoreload.reporter(
            nest.settings, nest.began, app, lambda: own_line.retires(large=False)
        )
    own_line.serves()
    if look is None:
        os.close(line)  # there is nothing more to say, and workers are forked from here
    template.serve(become, look)
    sys.exit(0)


def be_worker(
    nest: Nest, slot: Slot, line: int, load: Callable[[], Callable[..., Any]]
) -> NoReturn:
    """Serve as a worker what ``load`` returns."""
    try:
        _serve(nest, slot, line, load())
    except hooks.HookError:
        sys.exit(BOOT_FAILED)
    except Exception:
        # Not left to sys.excepthook and sys.stderr, which may be the application's by now.
        log.exception("the worker failed")
        sys.exit(1)
    sys.exit(0)


def _serve(nest: Nest, slot: Slot, line: int, app: Callable[..., Any]) -> None:
    # A worker that is stuck, or crashes, shows where: the master sends SIGABRT before it kills.
    # By number, which the log keeps when it is reopened: it is written where Python cannot run.
    faulthandler.enable(file=error_log.present().error.fd, all_threads=True)
    settings, this = nest.settings, nest.worker
    if settings.threads > 1 and threading.Lock is not Lock:
        log.warning(
            "the application has replaced threads (gevent or eventlet?): --threads %d is 1",
            settings.threads,
        )
        settings = settings.replace(threads=1)
    this.wsgi = app
    nest.hooks("post_worker_init", this)
    served, line_to = this.wsgi, StatusPipe(line)
    worker = Worker(
        settings,
        nest.listeners,
        served,
        nest.lifeline,
        slot,
        line_to,
        nest.context.tls,
        on_interrupt=lambda: nest.hooks("worker_int", this),
    )
    if settings.reload and not settings.preload:  # with that, the template looks
        from onegate.worker import autoreload  # noqa: PLC0415 - for development only

        autoreload.watch(settings, nest.lifeline, nest.began, app)
    try:
        worker.run()
    finally:
        nest.hooks("worker_exit", nest.server, this)


def be_status(nest: Nest, scoreboard: Scoreboard, line: int) -> NoReturn:
    """Answer on the second listener, whatever the workers are doing."""
    assert nest.status is not None
    # Whatever was asked for on behalf of the application is not for this one.
    settings = nest.settings.replace(
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

    app = StatusApp(scoreboard, nest.listeners)
    own = Scoreboard(1).slot(0)
    Worker(settings, [nest.status], app, nest.lifeline, own, StatusPipe(line)).run()
    sys.exit(0)
