"""What a master leaves to its successor: listening sockets, and a pipe to say that it serves.

They are inherited as descriptors through execve(2); an environment variable says which they are.
:func:`exec_successor` writes it, an :class:`UpgradeHandover` is what the successor reads of it.
"""

from __future__ import annotations

import logging
import os
import select
import sys

from onegate.net.listeners import Listener, SocketPermissions, adopt, file_at
from onegate.process import systemd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from onegate.master.generations import Generation


log = logging.getLogger("onegate.error")

_VARIABLE = "_ONEGATE_SUCCESSION"
"""Not named after this module: a master of an earlier version writes it for this one."""


def _left() -> dict[str, Any]:
    text = os.environ.pop(_VARIABLE, "")
    if not text:
        return {}
    import json  # noqa: PLC0415 - only where there is something to read

    return dict(json.loads(text))


_LEFT = _left()


class UpgradeHandover:
    """Which other master has the listeners too: the one before this one, or the one after it.

    pending
        This one was started by another one, which still serves.
    abandoned
        That one does not wait for this one any more, which so never serves.
    done
        This one's successor serves.
    """

    def __init__(self, poll: select.poll) -> None:
        self._poll = poll
        self.ready_fd: int = _LEFT.get("ready", -1)
        """Write end of the pipe to the master before this one; -1 without one. ``poll`` reports an
        error of it when nobody reads there any more."""
        if self.ready_fd >= 0:
            os.set_inheritable(self.ready_fd, False)
            poll.register(self.ready_fd, 0)
        self.listeners: dict[str, Listener] = {
            address: adopt(descriptor, address, foreign=foreign).replace(
                path=path, file=file_at(path)
            )
            for address, descriptor, foreign, path in _LEFT.get("listeners", [])
        }
        """Those that this master was left, by the address that they were requested with."""
        self.activated: list[int] = _LEFT.get("activated", [])
        """Descriptors of socket activation, of which only the first master was told."""
        user, group = _LEFT.get("given_to", ("", ""))
        self.permissions = SocketPermissions(user=user, group=group, mode=_LEFT.get("socket_mode"))
        """Of Unix sockets, as the master before this one has set them."""
        self.abandoned = False
        self.done = False

    @property
    def pending(self) -> bool:
        """See above."""
        return self.ready_fd >= 0

    @property
    def shared(self) -> bool:
        """Whether another master serves, or may yet serve, on the same listeners."""
        return self.done or self.pending or self.abandoned

    def shares(self, listener: Listener) -> bool:
        """Whether another master has it, too: of one that does not serve yet, those it was left."""
        return self.done or (self.shared and listener in self.listeners.values())

    # ── to the master before this one ────────────────────────────────────────────────────────

    def awaited(self) -> bool:
        """Whether the master before this one still waits for this one."""
        poll = select.poll()
        poll.register(self.ready_fd, 0)
        return not poll.poll(0)

    def tell_ready(self) -> None:
        """Tell it that it may go. Raises ``BrokenPipeError`` if it does not wait for that."""
        os.write(self.ready_fd, b"+")
        self.close()

    def close(self) -> None:
        """There is nothing to tell it, or by whoever calls this: in a child, say."""
        if self.ready_fd >= 0:
            self._poll.unregister(self.ready_fd)
            os.close(self.ready_fd)
            self.ready_fd = -1

    def abandon(self) -> None:
        """It does not wait for this one any more."""
        self.abandoned = True
        self.close()

    def close_unused(self, used: list[Listener]) -> None:
        """Close the listeners that were left to us and are not ``used``: the settings have changed
        since. The master before this one does not accept there any more."""
        for address in [each for each in self.listeners if self.listeners[each] not in used]:
            listener = self.listeners.pop(address)
            listener.refuse()
            listener.close(unlink=True)

    # ── to the master after this one ─────────────────────────────────────────────────────────

    def complete(self) -> None:
        """The master after this one serves."""
        self.done = True


def exec_successor(generation: Generation, ready: int, activated: list[int]) -> NoReturn:
    """Become a new master, by the command line of the first start, in its directory, with its
    environment and umask. Raises ``SystemExit``, with the reason in the log, if that cannot be."""
    import json  # noqa: PLC0415 - see above

    start, settings = generation.context.start, generation.settings
    left = [
        (each.given, each.sock.fileno(), each.foreign, each.path)
        for each in generation.all_listeners()
    ]
    for descriptor in (ready, *(descriptor for _, descriptor, *_ in left)):
        os.set_inheritable(descriptor, True)
    environ = {name: start.environ[name] for name in start.environ.keys() - systemd.NAMES}
    environ |= systemd.notify_environ()
    environ[_VARIABLE] = json.dumps(
        {
            "ready": ready,
            "listeners": left,
            "activated": activated,
            "given_to": (settings.user, settings.group),
            "socket_mode": settings.socket_mode,
        }
    )
    os.umask(start.umask)
    try:
        _enter(start.directory)
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environ)  # noqa: S606 - no shell is what is wanted
    except OSError as error:
        log.error("cannot start a new master: %s", error)
        sys.exit(1)


def _enter(directory: str) -> None:
    """Go where the first start was. If that is gone, a command line of absolute paths will do; a
    relative one is not to mean something else, as it would here."""
    try:
        os.chdir(directory or "/")
    except OSError:
        os.chdir("/")
