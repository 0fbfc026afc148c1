"""The signals that a master notes, and how: by a self-pipe.

Signal handlers do nothing: Python writes the signal's number into a pipe, and the loop acts on it.
"""

from __future__ import annotations

import os
import signal

SIGNALS = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGWINCH,
    signal.SIGCHLD,
)
"""What a master notes."""
_NOT_FOR_CHILDREN = (
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
    signal.SIGTTIN,
    signal.SIGTTOU,
)
"""Meant for the master, even where a terminal or a script sends them to the whole group."""


class SelfPipe:
    """Where numbers of signals are noted until the loop reads them."""

    def __init__(self) -> None:
        self.descriptor, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    @property
    def descriptors(self) -> list[int]:
        """Both ends, which a child has to close."""
        return [self.descriptor, self._write]

    def install(self) -> None:
        """Note signals from now on."""
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, lambda *_: None)

    def pending(self) -> list[signal.Signals]:
        """The signals received since the last call."""
        try:
            return [signal.Signals(number) for number in os.read(self.descriptor, 256)]
        except BlockingIOError:
            return []


def release() -> None:
    """In a child: restore the default handlers.

    Until it serves, a termination signal simply kills it: there is nothing to finish yet.
    """
    signal.set_wakeup_fd(-1)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    for number in _NOT_FOR_CHILDREN:
        signal.signal(number, signal.SIG_IGN)
