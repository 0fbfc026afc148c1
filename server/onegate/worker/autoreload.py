"""``--reload``: for development, a worker that ends when a file of the application changes.

The files' times are looked at once a second, and where the package ``watchfiles`` is installed as
soon as something changes.
"""

from __future__ import annotations

import contextlib
import glob
import importlib.util
import logging
import os
import signal
import sys
import time
from _thread import start_new_thread
from collections.abc import Callable, Iterator
from select import select
from time import sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from onegate.config.settings import Settings


log = logging.getLogger("onegate.error")

_LOOK_SECONDS = 1.0
_PASSED_OVER = {"node_modules", "__pycache__", "site-packages"}
"""Directories with many files, none of which is written here. Besides, those that begin with a dot
and virtual environments."""


class Broken:
    """Stands for an application that cannot be loaded: it responds with the reason.

    For development only: a traceback is nobody else's business.
    """

    def __init__(self, error: BaseException) -> None:
        import traceback  # noqa: PLC0415 - only for this

        text = "".join(traceback.format_exception(error))
        self._content = (
            "The application cannot be loaded. It will be reloaded when a file changes.\n\n" + text
        ).encode("utf-8", "backslashreplace")
        self.files = {frame.filename for frame in traceback.extract_tb(error.__traceback__)}
        """Where the error may be put right."""
        if isinstance(error, SyntaxError) and error.filename:
            self.files.add(error.filename)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response(
            "500 Internal Server Error",
            [
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Content-Length", str(len(self._content))),
                ("Cache-Control", "no-store"),
            ],
        )
        return [self._content]


class _Look:
    """Finds what has changed since ``began`` (Unix time)."""

    def __init__(self, settings: Settings, began: float, app: object) -> None:
        self._settings = settings
        self._more = app.files if isinstance(app, Broken) else set()
        self._began = began
        times = self._times()
        self._before = {name: modified for name, (modified, _) in times.items()}
        # What was put in its place while the application was loaded, with the time that it had
        # elsewhere (rsync --times, mv): that is seen in the time of its inode alone.
        self._found = [name for name, (_, changed) in times.items() if began < changed]

    def __call__(self) -> str:
        """The name of a file that has changed; empty if none has."""
        now = time.time()
        after = {name: modified for name, (modified, _) in self._times().items()}
        # What was written while the application was loaded counts, a file from the future never.
        found = self._found
        found += [name for name, when in after.items() if self._began < when <= now]
        found += [name for name, when in self._before.items() if after.get(name) != when]
        self._before, self._began, self._found = after, now, []
        return found[0] if found else ""

    def _times(self) -> dict[str, tuple[float, float]]:
        """The last modification and the last change of the inode (stat(2)), of each file."""
        times = {}
        for path in files(self._settings) | self._more:
            with contextlib.suppress(OSError):
                found = os.stat(path)
                times[path] = found.st_mtime, found.st_ctime
        return times


def watch(settings: Settings, lifeline: int, began: float, app: object) -> None:
    """Have this process stop gracefully at the first change since ``began``."""

    def run() -> None:
        wait(settings, lifeline, began, app)
        os.kill(os.getpid(), signal.SIGTERM)

    # Not a threading.Thread, which an application may have made a greenlet.
    start_new_thread(run, ())


def reporter(
    settings: Settings, began: float, app: object, report: Callable[[], None]
) -> Callable[[], None]:
    """A function, to be called now and then, that calls ``report`` after each change."""
    look = _Look(settings, began, app)

    def run() -> None:
        if changed := look():
            log.info("%s has changed; reloading", changed)
            report()

    return run


def wait(settings: Settings, lifeline: int, began: float, app: object = None) -> None:
    """Return when a file has changed since ``began`` (Unix time), or the master has ended."""
    look = _Look(settings, began, app)
    pause = _watchfiles(settings) if importlib.util.find_spec("watchfiles") else _pause()
    while True:
        if changed := look():
            log.info("%s has changed; reloading", changed)
            return
        if select([lifeline], [], [], 0)[0]:
            return
        next(pause)


def files(settings: Settings) -> set[str]:
    """The files that count: modules that were imported, Python files here, and those named."""
    modules = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    found = {file for file in modules if isinstance(file, str)}
    found.update(_python_files(os.getcwd()))
    for pattern in settings.reload_extra_file:
        found.update(glob.glob(pattern, recursive=True))
    return found


def _python_files(root: str) -> Iterator[str]:
    """Those in ``root`` and below, except installed packages."""
    directories = [root]
    while directories:
        here = directories.pop()
        entries: list[os.DirEntry[str]] = []
        with contextlib.suppress(OSError), os.scandir(here) as found:
            entries += found
        if here != root and any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        for entry in entries:
            if entry.name.endswith(".py"):
                yield entry.path
            elif not entry.name.startswith(".") and entry.name not in _PASSED_OVER:
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        directories.append(entry.path)


def _pause() -> Iterator[None]:
    """Come back once a second."""
    while True:
        sleep(_LOOK_SECONDS)
        yield


def _watchfiles(settings: Settings) -> Iterator[None]:
    """Come back once a second, and at once when something happens where the files are."""
    from watchfiles import watch as changes  # noqa: PLC0415 - only where it is installed

    directories = {os.path.dirname(path) or "." for path in files(settings)}
    for _ in changes(
        *directories, yield_on_timeout=True, rust_timeout=int(_LOOK_SECONDS * 1000), recursive=False
    ):
        yield
