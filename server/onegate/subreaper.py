"""The master as the parent of its orphans: prctl(2), PR_SET_CHILD_SUBREAPER.

Only ``--preload`` needs it. There is no way to it but ctypes, and what ctypes leaves in a process
(2 MiB; since libffi 3.5 an open descriptor, which must not be closed) every worker would have as a
fork of the master. But execve(2) keeps the attribute and nothing else. So the command sets it first
of all, and then begins anew.
"""

from __future__ import annotations

import os
import sys

_MARK = "_ONEGATE_SUBREAPER"
_PR_SET_CHILD_SUBREAPER = 36

_adopts = False


def take_mark() -> None:
    """Note whether this process has begun anew, before anybody sees the environment."""
    global _adopts  # noqa: PLW0603 - it is an attribute of the process
    _adopts = os.environ.pop(_MARK, "") == str(os.getpid())


def begin_anew() -> None:
    """Adopt orphans by executing this very command again; return if that was done already.

    For the command alone, before it has changed anything about its process. Raises ``OSError``
    where the kernel does not know how, or the interpreter is not there any more.
    """
    if not _adopts:
        _set(yes=True)
        environ = os.environ | {_MARK: str(os.getpid())}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environ)  # noqa: S606 - no shell is what is wanted


def adopt_orphans() -> None:
    """Make this process the parent of descendants whose own parent ends.

    Raises ``OSError`` where the kernel does not know how.
    """
    if not _adopts:
        _set(yes=True)


def release_orphans() -> None:
    """Be no longer what :func:`adopt_orphans` has made."""
    if _adopts:
        _set(yes=False)


def _set(*, yes: bool) -> None:
    global _adopts  # noqa: PLW0603 - it is an attribute of the process
    import ctypes  # noqa: PLC0415 - see above

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, int(yes), 0, 0, 0):
        error = ctypes.get_errno()
        raise OSError(error, f"prctl(PR_SET_CHILD_SUBREAPER): {os.strerror(error)}")
    _adopts = yes
