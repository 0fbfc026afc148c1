"""The process between a master and its successor, until the successor serves.

A service manager waits for the end of a main process only if that is its own child (systemd: "a
process which is not our child. We'll most likely not notice when it exits"; with KillMode=mixed
it kills such a service at once, in the middle of its answers), and it looks at that when it is
told MAINPID. A child of the old master becomes the manager's when its parent ends, and the old
master still has requests to answer. So the parent is a process that does nothing else.
"""

from __future__ import annotations

import os
import select
import signal

from onegate.process.subreaper import release_orphans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.master.process_table import Child


def stand_between(line: int, lifeline: int) -> None:
    """Return in a new process, whose number is said on ``line``; this one ends as that one does.

    ``lifeline``: a descriptor that is readable when the master is gone; then this one ends too.
    Raises ``OSError`` if there is no process to be had.
    """
    pid = os.fork()
    if not pid:
        return
    os.write(line, b"=%d;" % pid)
    os.close(line)
    either = select.poll()
    either.register(lifeline, select.POLLIN)
    patience = os.WNOHANG
    try:
        either.register(os.pidfd_open(pid), select.POLLIN)
        either.poll()
    except OSError:  # before Linux 5.3
        patience = 0
    ended, status = os.waitpid(pid, patience)
    if ended and os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) if ended else 0)


def step_aside(child: Child) -> None:
    """In the master: end the process in between; the successor is a child of the manager then."""
    release_orphans()
    os.kill(child.pid, signal.SIGKILL)
    os.waitpid(child.pid, 0)
