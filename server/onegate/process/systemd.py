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
_VARIABLES = {name: os.environ.pop(name, "") for name in NAMES}
"""Removed from the environment at once: they are meant for this process, not the application."""


def notify_environ() -> dict[str, str]:
    """The variables that another program needs to notify in our place."""
    return {
        name: _VARIABLES[name] for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC") if _VARIABLES[name]
    }


def activated_descriptors() -> list[int]:
    """Descriptors handed over by socket activation."""
    pid, count = _VARIABLES["LISTEN_PID"], _VARIABLES["LISTEN_FDS"]
    if pid != str(os.getpid()) or not count.isdigit():
        return []
    return list(range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + int(count)))


class Notifier:
    """Reports the state of the service to the service manager, if there is one.

    ``silent``: another master is the main process of the service until this one serves. With
    ``NotifyAccess=all``, our own state would be taken for the service's: that it stops, for
    example, because a successor could not load the application.
    """

    def __init__(self, *, silent: bool = False) -> None:
        self._address = _VARIABLES["NOTIFY_SOCKET"]
        self._silent = silent
        usec = _VARIABLES["WATCHDOG_USEC"]
        pid = _VARIABLES["WATCHDOG_PID"] or str(os.getpid())
        watched = usec.isdigit() and pid == str(os.getpid()) and bool(self._address)
        self.watchdog = int(usec) / 2e6 if watched else 0.0
        """Seconds between two keep-alive notifications; 0: none are expected."""

    def notify(self, *states: str) -> None:
        """Send states such as ``READY=1``. It is no error if the manager is gone."""
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
        """Requests are served."""
        self._silent = False
        self.notify("READY=1", f"MAINPID={os.getpid()}")

    def reloading(self) -> None:
        """A new generation is about to be tried; ``ready`` follows."""
        self.notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The service is stopping."""
        self.notify("STOPPING=1")

    def set_main_pid(self, pid: int) -> None:
        """Make process ``pid`` the main process of the service, and report nothing from now on.

        Only the main process may do so, unless the unit has ``NotifyAccess=all`` (sd_notify(3),
        MAINPID).
        """
        self.notify(f"MAINPID={pid}")
        self._silent = True

    def alive(self) -> None:
        """Keep-alive notification for the watchdog."""
        self.notify("WATCHDOG=1")
