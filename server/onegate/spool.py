"""Unnamed temporary files, for what is too large for memory.

``tempfile`` would do, but importing it costs every worker megabytes that few ever use: it is asked
only where the file system knows no unnamed files (open(2), O_TMPFILE).
"""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO


_NOT_KNOWN = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT)


def spool_folder(wanted: str) -> str | None:
    """The folder to spool to: ``wanted``, the system's temporary folder for "auto", or None.

    None too if nothing can be written there, as on a read-only root without ``/tmp``.
    """
    if wanted == "none":
        return None
    named = [os.environ.get(name, "") for name in ("TMPDIR", "TEMP", "TMP")]
    candidates = [*filter(None, named), "/tmp", "/var/tmp"] if wanted == "auto" else [wanted]  # noqa: S108 - the system's own, as tempfile looks for it
    for folder in candidates:
        try:
            with open_spool(folder):
                return os.path.join(os.getcwd(), folder)
        except OSError:
            continue
    return None


def open_spool(folder: str, *, buffered: bool = True) -> IO[bytes]:
    """A new file in ``folder`` that is gone when it is closed. Raises ``OSError``."""
    try:
        descriptor = os.open(folder, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in _NOT_KNOWN:
            raise
        from tempfile import TemporaryFile  # noqa: PLC0415 - see the module

        return TemporaryFile(dir=folder, prefix="onegate-", buffering=-1 if buffered else 0)
    return open(descriptor, "w+b", buffering=-1 if buffered else 0)
