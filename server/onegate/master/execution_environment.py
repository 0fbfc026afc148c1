"""What the processes of a generation run with: directory, environment, umask and log files.

It belongs to the generation: its children enter it, the master only when the generation has been
adopted. So a reload that fails has changed nothing, and whoever replaces a worker that dies
meanwhile, or afterwards, finds what its predecessor found.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping

from onegate._record import Record
from onegate.logs import log_files
from onegate.settings_error import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssl import SSLContext

    from onegate.config.settings import Settings

_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


class Start(Record):
    """Where this server was started, and with what. Its command line is relative to that."""

    directory: str
    """As the shell calls it: by a link that may be turned later. Empty if it is gone."""
    environ: Mapping[str, str]
    umask: int


def start() -> Start:
    """Take note of where this process is. To be called before anything changes it."""
    umask = os.umask(0)
    os.umask(umask)
    return Start(directory=_directory(), environ=dict(os.environ), umask=umask)


def _directory() -> str:
    """$PWD if it leads here (getcwd(3) gives the directory that a link leads to), as pwd -L."""
    named = os.environ.get("PWD", "")
    try:
        if os.path.isabs(named) and os.path.samefile(named, "."):
            return named
    except OSError:
        pass
    try:
        return os.getcwd()
    except OSError:
        return ""


class ExecutionEnvironment:
    """Directory, environment, umask and log files for ``settings``, not yet entered.

    ``before``: the context that this process has entered. Of its environment only what ``--env``
    had set there is undone; what else has come to it since, by a hook say, stays. Raises
    :class:`SettingsError`; then nothing is left open.
    """

    def __init__(
        self, settings: Settings, start: Start, before: ExecutionEnvironment | None = None
    ) -> None:
        self.start = start
        self.umask = start.umask if settings.umask is None else settings.umask
        self._env = dict(settings.env)
        self._replaced: dict[str, str | None] = {}
        """What the variables of ``--env`` were without it."""
        self._changes = self._difference(before)
        self.tls: SSLContext | None = None
        """What :mod:`onegate.validate_settings` has read of certificate and key, as root."""
        self._logs: log_files.Logs | None = None
        # Held open: later on the same path may lead to another one.
        self._directory = _open_directory(settings.chdir, start.directory)
        try:
            with self.tried():
                self._logs = log_files.Logs(settings)
        except BaseException:
            self.close()
            raise

    def _difference(self, before: ExecutionEnvironment | None) -> dict[str, str | None]:
        """The variables that have to change, with their values; None: it goes."""
        changes: dict[str, str | None] = {}
        old, replaced = (before._env, before._replaced) if before is not None else ({}, {})
        for name, value in old.items():
            if name not in self._env and os.environ.get(name) == value:
                changes[name] = replaced[name]
        for name, value in self._env.items():
            self._replaced[name] = replaced[name] if name in old else os.environ.get(name)
            if old.get(name) != value:
                changes[name] = value
        return changes

    def keep_tls(self, tls: SSLContext | None) -> None:
        """What was read as root is for children, who are somebody else by then."""
        self.tls = tls

    @contextlib.contextmanager
    def tried(self) -> Iterator[None]:
        """Run with it, but for the log files, and then again with what was there before.

        What becomes of the environment meanwhile belongs to the context.
        """
        back = os.open(".", _DIRECTORY)
        umask = os.umask(self.umask)
        before = dict(os.environ)
        try:
            try:
                os.fchdir(self._directory)
            except OSError as error:
                raise SettingsError(f"--chdir: {error.strerror}") from None
            _change(self._changes)
            yield
            self._changes = _changed(before, os.environ)
        finally:
            _change(_changed(os.environ, before))
            os.umask(umask)
            os.fchdir(back)
            os.close(back)

    def enter(self) -> None:
        """Run with it from now on. Once is enough: a child of who has entered it, has too.

        Raises ``OSError`` if the directory cannot be entered.
        """
        if self._directory < 0:
            return
        os.umask(self.umask)
        _change(self._changes)
        self._changes = {}
        if self._logs is not None:
            self._logs.install()
            self._logs = None
        # Last: where it cannot be, a child will have to try again.
        os.fchdir(self._directory)
        os.close(self._directory)
        self._directory = -1

    def reopen_logs(self) -> None:
        """Open the log files anew, unless they are those of this process, and in use."""
        if self._logs is not None:
            self._logs.reopen()

    def close(self) -> None:
        """Give up what is held open to be entered."""
        if self._directory >= 0:
            os.close(self._directory)
            self._directory = -1
        if self._logs is not None:
            self._logs.close()
            self._logs = None


def _open_directory(chdir: str, base: str) -> int:
    if not base and not os.path.isabs(chdir):
        raise SettingsError("the directory in which onegate was started is gone; see --chdir")
    try:
        return os.open(os.path.join(base, chdir), _DIRECTORY)
    except OSError as error:
        if chdir:
            raise SettingsError(f"--chdir {chdir}: {error.strerror}") from None
        raise SettingsError(
            f"cannot enter {base}, where onegate was started: {error.strerror}; see --chdir"
        ) from None


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str | None]:
    """What makes ``after`` of ``before``; None: the variable goes."""
    return {
        name: after.get(name)
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name)
    }


def _change(changes: Mapping[str, str | None]) -> None:
    for name, value in changes.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
