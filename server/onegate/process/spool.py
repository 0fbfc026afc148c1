"""Unnamed temporary files, for what is too large for memory.

``tempfile`` would do, but importing it costs every worker megabytes that few ever use: it is
imported only if the file system does not support unnamed files (open(2), O_TMPFILE).
"""

from __future__ import annotations

import errno
import os
import stat

from onegate.settings_error import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

    from onegate.config.settings import Settings


_NOT_KNOWN = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT)


def spool_directory(wanted: str) -> str | None:
    """The directory to spool to: ``wanted``, or the system's temporary one for "auto".

    None for "none", and if it cannot be written to, as with a read-only root without ``/tmp``.
    """
    return _usable(wanted)[0]


def _usable(wanted: str) -> tuple[str | None, str]:
    """The directory and ""; or None, and why each candidate was rejected."""
    if wanted == "none":
        return None, ""
    reasons: list[str] = []
    for directory in _candidates() if wanted == "auto" else [wanted]:
        try:
            if not stat.S_ISDIR(os.stat(directory).st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            with open_spool(directory):
                return os.path.join(os.getcwd(), directory), ""
        except OSError as error:
            reasons.append(f"{directory}: {error.strerror or error}")
    return None, "; ".join(reasons)


def _candidates() -> list[str]:
    named = [os.environ.get(name, "") for name in ("TMPDIR", "TEMP", "TMP")]
    return list(dict.fromkeys([*filter(None, named), "/tmp", "/var/tmp"]))  # noqa: S108 - the system's own, as tempfile looks for it


def check_spool(settings: Settings) -> str:
    """Check whether workers will have a directory to spool to; return a warning if "auto" finds
    none, otherwise "".

    Raises :class:`onegate.SettingsError` if they cannot write to the configured one.
    """
    reason = _as_worker(settings)
    if reason and settings.spool != "auto":
        raise SettingsError(f"--spool {reason}")
    if not reason:
        return ""
    return (
        f"no directory to spool to ({reason}): request content over {settings.body_memory} bytes"
        f" is rejected with 413, and once {settings.response_memory} bytes of a response are"
        " buffered, the application waits for the client; see --spool"
    )


def _as_worker(settings: Settings) -> str:
    """Why a worker, as --user and --group, cannot write to any directory; "" if it can."""
    if not (settings.user or settings.group):
        return _usable(settings.spool)[1]
    from onegate.process.privileges import drop  # noqa: PLC0415 - only when started as root

    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            drop(settings.user, settings.group)
            os.write(write, _usable(settings.spool)[1].encode("utf-8", "surrogateescape"))
        finally:
            os._exit(0)  # errors in --user are reported elsewhere
    os.close(write)
    with open(read, "rb") as pipe:
        reason = pipe.read().decode("utf-8", "surrogateescape")
    os.waitpid(pid, 0)
    return reason


def open_spool(directory: str, *, buffered: bool = True) -> IO[bytes]:
    """A new file in ``directory`` that is deleted when it is closed. Raises ``OSError``."""
    try:
        descriptor = os.open(directory, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in _NOT_KNOWN:
            raise
        from tempfile import TemporaryFile  # noqa: PLC0415 - see the module

        return TemporaryFile(dir=directory, prefix="onegate-", buffering=-1 if buffered else 0)
    return open(descriptor, "w+b", buffering=-1 if buffered else 0)
