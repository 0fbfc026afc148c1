"""The master as the parent of its orphans: prctl(2), PR_SET_CHILD_SUBREAPER.

Only ``--preload`` needs it. There is no way to it but ctypes, and what ctypes leaves in a process
(2 MiB; since libffi 3.5 an open descriptor, which must not be closed) every worker would have as a
fork of the master. But execve(2) keeps the attribute and nothing else. So the command sets it first
of all, and then executes itself again. A program that calls :func:`onegate.cli.main` does not: what
it has done before would be done twice, and a script from standard input could not be read again.
"""

from __future__ import annotations

import contextlib
import os
import sys

_MARKER = "_ONEGATE_SUBREAPER"
_PR_SET_CHILD_SUBREAPER = 36

_adopts = False


def read_marker() -> None:
    """Note whether this process has been re-executed, and remove the marker for that."""
    global _adopts  # noqa: PLW0603 - it is an attribute of the process
    _adopts = os.environ.pop(_MARKER, "") == str(os.getpid())


def re_execute() -> None:
    """Adopt orphans by executing this command again; return if that was done already, or cannot
    be.

    To be called before the command has changed anything about its process. Raises ``OSError`` if
    the kernel does not support it.
    """
    if not _adopts and _is_command():
        _set(yes=True)
        environ = os.environ | {_MARKER: str(os.getpid())}
        with contextlib.suppress(OSError):  # the interpreter is not there any more
            os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environ)  # noqa: S606 - no shell is what is wanted


def _is_command() -> bool:
    """Whether this process was started as ``onegate`` or ``python -m onegate`` and has done nothing
    else, so that its command line says all that it is to do."""
    main, arguments = sys.modules["__main__"], sys.argv[1:]
    if (spec := getattr(main, "__spec__", None)) is not None:
        ours = spec.name == "onegate.__main__"
    else:
        ours = os.path.basename(getattr(main, "__file__", "")) == "onegate"
    return ours and sys.orig_argv[len(sys.orig_argv) - len(arguments) :] == arguments


def adopt_orphans() -> None:
    """Make this process the parent of descendants whose own parent ends.

    Raises ``OSError`` if the kernel does not support it.
    """
    if not _adopts:
        _set(yes=True)


def release_orphans() -> None:
    """Undo :func:`adopt_orphans`."""
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
