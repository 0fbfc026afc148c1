"""``--reload``: for development, a worker that ends when a file of the application changes.

The files' times are looked at once a second, and where the package ``watchfiles`` is installed as
soon as something changes.
"""

from __future__ import annotations

import glob
import importlib.util
import logging
import os
import signal
import sys
import time
from _thread import start_new_thread
from collections.abc import Iterator
from pathlib import Path
from select import select
from time import sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.settings.model import Settings


log = logging.getLogger("onegate.error")

_LOOK_SECONDS = 1.0


def watch(settings: Settings, lifeline: int, began: float) -> None:
    """Have this process stop gracefully at the first change since ``began``."""

    def run() -> None:
        wait(settings, lifeline, began)
        os.kill(os.getpid(), signal.SIGTERM)

    # Not a threading.Thread, which an application may have made a greenlet.
    start_new_thread(run, ())


def wait(settings: Settings, lifeline: int, began: float) -> None:
    """Return when a file has changed since ``began`` (Unix time), or the master is gone."""
    before = _times(settings)
    pause = _watchfiles(settings) if importlib.util.find_spec("watchfiles") else _pause()
    while True:
        looked, now = began, time.time()
        after = _times(settings)
        # What was written while the application was loaded counts, a file from the future never.
        changed = [name for name, when in after.items() if looked < when <= now]
        changed += [name for name, when in before.items() if after.get(name) != when]
        if changed:
            log.info("%s has changed", changed[0])
            return
        if select([lifeline], [], [], 0)[0]:
            return
        before, began = after, now
        next(pause)


def files(settings: Settings) -> set[Path]:
    """The files that count: modules that were imported, Python files here, and those named."""
    modules = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    found = {Path(file) for file in modules if file}
    found.update(Path.cwd().rglob("*.py"))
    for pattern in settings.reload_extra_file:
        found.update(map(Path, glob.glob(pattern, recursive=True)))
    return found


def _times(settings: Settings) -> dict[Path, float]:
    times = {}
    for path in files(settings):
        try:
            times[path] = path.stat().st_mtime
        except OSError:
            continue
    return times


def _pause() -> Iterator[None]:
    """Come back once a second."""
    while True:
        sleep(_LOOK_SECONDS)
        yield


def _watchfiles(settings: Settings) -> Iterator[None]:
    """Come back once a second, and at once when something happens where the files are."""
    from watchfiles import watch as changes  # noqa: PLC0415 - only where it is installed

    folders = {path.parent for path in files(settings)}
    for _ in changes(
        *folders, yield_on_timeout=True, rust_timeout=int(_LOOK_SECONDS * 1000), recursive=False
    ):
        yield
