"""USR2: a new program takes over the listeners of a running master (execve(2)).

The new master inherits the listening sockets, so that no connection is refused in between, and
tells its predecessor through a pipe when its first worker serves. Only then does the old one end.
While the new one does not serve, the old one may give it up, or be gone: then the pipe has no
reader any more, and the new one ends.

Until the successor serves, a process stands between the two. A service manager waits for the end of
a main process only if that is its own child (systemd: "a process which is not our child. We'll most
likely not notice when it exits"; with KillMode=mixed it kills such a service at once, in the middle
of its answers), and it looks at that when it is told MAINPID. A child of the old master becomes the
manager's when its parent ends, and the old master still has requests to answer. So the parent is a
process that does nothing else.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import sys

from onegate.net.bind import adopt
from onegate.net.listener import Listener, file_at
from onegate.process import systemd
from onegate.process.subreaper import release_orphans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from onegate.master.fork_context import Start
    from onegate.master.process_table import Child


log = logging.getLogger("onegate.error")

_VARIABLE = "_ONEGATE_SUCCESSION"


def _left() -> dict[str, Any]:
    text = os.environ.pop(_VARIABLE, "")
    if not text:
        return {}
    import json  # noqa: PLC0415 - only where there is something to read

    return dict(json.loads(text))


_LEFT = _left()


class Succession:
    """What this master was left by the one before it, if it was started by one."""

    def __init__(self) -> None:
        self._ready: int = _LEFT.get("ready", -1)
        if self._ready >= 0:
            os.set_inheritable(self._ready, False)
        self._poll: select.poll | None = None
        self.listeners: dict[str, Listener] = {
            address: adopt(descriptor, address, foreign=foreign).replace(
                path=path, file=file_at(path)
            )
            for address, descriptor, foreign, path in _LEFT.get("listeners", [])
        }
        """By the address that they were asked for with."""
        self.activated: list[int] = _LEFT.get("activated", [])
        """Descriptors of socket activation, of which only the first master was told."""
        self.done = False
        """True in a master that has been replaced."""
        self.abandoned = False
        """True in a master that nobody waits for: it never was the one that serves."""

    @property
    def pending(self) -> bool:
        """True while the master before this one serves still."""
        return self._ready >= 0

    @property
    def shared(self) -> bool:
        """Whether another master serves, or may yet serve, on the same listeners."""
        return self.done or self.pending or self.abandoned

    def shares(self, listener: Listener) -> bool:
        """Whether another master has it, too: of one that does not serve yet, those it was left."""
        return self.done or (self.shared and listener in self.listeners.values())

    @property
    def line(self) -> int:
        """What tells the master before this one; -1 without one."""
        return self._ready

    def watch(self, poll: select.poll) -> None:
        """Have ``poll`` report an error on the line: that nobody waits at its other end."""
        if self._ready >= 0:
            poll.register(self._ready, 0)
            self._poll = poll

    def waited_for(self) -> bool:
        """Whether the master before this one still reads what it is told."""
        poll = select.poll()
        poll.register(self._ready, 0)
        return not poll.poll(0)

    def forget(self) -> None:
        """In a child: the line to that master is not ours."""
        if self._ready >= 0:
            if self._poll is not None:
                self._poll.unregister(self._ready)
            os.close(self._ready)
            self._ready = -1

    def ready(self) -> None:
        """Tell the master before this one that it may go. Raises ``BrokenPipeError`` if nobody
        waits for that."""
        os.write(self._ready, b"+")
        self.forget()

    def give_up(self, used: list[Listener]) -> None:
        """Close the listeners that were left to us and are not ``used``: the settings have changed
        since. The master before this one does not accept there any more."""
        for address in [each for each in self.listeners if self.listeners[each] not in used]:
            listener = self.listeners.pop(address)
            listener.refuse()
            listener.close(unlink=True)


def exec_successor(
    start: Start, listeners: list[Listener], ready: int, activated: list[int]
) -> NoReturn:
    """Become a new master, by the command line of the first start, in its directory, with its
    environment and umask. Ends the process if that cannot be."""
    import json  # noqa: PLC0415 - see above

    left = [(each.given, each.sock.fileno(), each.foreign, each.path) for each in listeners]
    for descriptor in (ready, *(descriptor for _, descriptor, *_ in left)):
        os.set_inheritable(descriptor, True)
    environ = {name: start.environ[name] for name in start.environ.keys() - systemd.NAMES}
    environ |= systemd.notify_environ()
    environ[_VARIABLE] = json.dumps({"ready": ready, "listeners": left, "activated": activated})
    os.umask(start.umask)
    try:
        _enter(start.directory)
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environ)  # noqa: S606 - no shell is what is wanted
    except OSError as error:
        log.error("a new master cannot be started: %s", error)
    os._exit(1)


def _enter(directory: str) -> None:
    """Go where the first start was. If that is gone, a command line of absolute paths will do; a
    relative one is not to mean something else, as it would here."""
    try:
        os.chdir(directory or "/")
    except OSError:
        os.chdir("/")


# ── the process in between ────────────────────────────────────────────────────────────────────────


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
