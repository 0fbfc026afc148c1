"""``--reload``: for development, a worker that ends when a file of the application changes.

Changes are seen through the package ``watchfiles`` where it is installed, else by looking at the
files' times once a second.
"""

from __future__ import annotations

import glob
import importlib.util
import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from onegate.settings import Settings

log = logging.getLogger("onegate.error")

_LOOK_SECONDS = 1.0


def watch(settings: Settings, lifeline: int) -> None:
    """Have this process stop gracefully at the first change."""

    def run() -> None:
        wait(settings, lifeline)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=run, name="onegate-reload", daemon=True).start()


def wait(settings: Settings, lifeline: int) -> None:
    """Return when a file has changed, or the master is gone."""
    changes = _watchfiles if importlib.util.find_spec("watchfiles") else _polled
    for changed in changes(settings):
        if changed:
            log.info("%s has changed", changed)
            return
        if select.select([lifeline], [], [], 0)[0]:
            return


def files(settings: Settings) -> set[Path]:
    """The files that count: modules that were imported, Python files here, and those named."""
    modules = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    found = {Path(file) for file in modules if file}
    found.update(Path.cwd().rglob("*.py"))
    for pattern in settings.reload_extra_file:
        found.update(map(Path, glob.glob(pattern, recursive=True)))  # noqa: PTH207 - takes any pattern
    return found


def _polled(settings: Settings) -> Iterator[str]:
    """Once a second: the name of a file that has changed, or nothing."""
    before = _times(settings)
    looked = time.time()
    pause = threading.Event()
    while True:
        pause.wait(_LOOK_SECONDS)
        after = _times(settings)
        changed = [name for name, when in before.items() if after.get(name) != when]
        # One that was imported since is no change; one that was written since is.
        changed += [name for name, when in after.items() if name not in before and when > looked]
        yield str(changed[0]) if changed else ""
        before, looked = after, time.time()


def _times(settings: Settings) -> dict[Path, float]:
    times = {}
    for path in files(settings):
        try:
            times[path] = path.stat().st_mtime
        except OSError:
            continue
    return times


def _watchfiles(settings: Settings) -> Iterator[str]:
    from watchfiles import watch as changes  # noqa: PLC0415 - only where it is installed

    folders = {path.parent for path in files(settings)}
    for found in changes(
        *folders, yield_on_timeout=True, rust_timeout=int(_LOOK_SECONDS * 1000), recursive=False
    ):
        wanted = [name for _, name in found if Path(name) in files(settings)]
        yield wanted[0] if wanted else ""
