"""The two conventions of systemd: inherited sockets (sd_listen_fds) and notification (sd_notify).

Both are a few lines over environment variables, so no library is needed.
"""

from __future__ import annotations

import os
import socket
import time

_FIRST_DESCRIPTOR = 3
NAMES = {
    "LISTEN_PID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
}
_SAID = {name: os.environ.pop(name, "") for name in NAMES}
"""Taken out at once: it is meant for this process, and not for the application."""


def handed_down() -> dict[str, str]:
    """What a program has to find in its environment to notify in our place."""
    return {name: _SAID[name] for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC") if _SAID[name]}


def inherited() -> list[int]:
    """Descriptors handed over by socket activation."""
    pid, count = _SAID["LISTEN_PID"], _SAID["LISTEN_FDS"]
    if pid != str(os.getpid()) or not count.isdigit():
        return []
    return list(range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + int(count)))


class Notifier:
    """Tells the service manager how things stand, if there is one that wants to know.

    ``silent``: another master is the main process of the service, until this one serves. What we
    said of ourselves would be taken for the service's state (``NotifyAccess=all``): that it stops,
    say, because a successor could not load the application.
    """

    def __init__(self, *, silent: bool = False) -> None:
        self._address = _SAID["NOTIFY_SOCKET"]
        self._silent = silent
        usec = _SAID["WATCHDOG_USEC"]
        pid = _SAID["WATCHDOG_PID"] or str(os.getpid())
        watched = usec.isdigit() and pid == str(os.getpid()) and bool(self._address)
        self.watchdog = int(usec) / 2e6 if watched else 0.0
        """Seconds between two signs of life; 0: none are expected."""

    def tell(self, *states: str) -> None:
        """Send states such as ``READY=1``. A manager that is gone is no reason to fail."""
        if not self._address or self._silent:
            return
        address = self._address
        if address.startswith("@"):
            address = "\0" + address[1:]
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.sendto("\n".join(states).encode(), address)
        except OSError:
            self._address = ""

    def ready(self) -> None:
        """Requests are answered."""
        self._silent = False
        self.tell("READY=1", f"MAINPID={os.getpid()}")

    def reloading(self) -> None:
        """A new generation is about to be tried; ``ready`` follows."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """No new work is begun."""
        self.tell("STOPPING=1")

    def hand_over(self, pid: int) -> None:
        """Process ``pid`` is the main process from now on, and speaks for the service.

        Only the main process may say so, unless the unit has ``NotifyAccess=all``; sd_notify(3),
        MAINPID.
        """
        self.tell(f"MAINPID={pid}")
        self._silent = True

    def alive(self) -> None:
        """Sign of life for the watchdog."""
        self.tell("WATCHDOG=1")
