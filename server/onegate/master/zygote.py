"""``--preload``: a process that has loaded the application, and from which workers are forked.

The master stays free of the application's code, so that it can load it anew: a new zygote is made
for each generation. Workers share the zygote's memory, which ``gc.freeze`` keeps the collector from
touching. They are forked twice, so that they become children of the master, which adopts orphans
(``subreaper``).
"""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import Callable
from os import fork, waitpid
from select import select

from onegate.process.status_pipe import StatusPipe


class Zygote:
    """The socket between the master and a zygote: each of them has one end.

    Nobody waits for an answer there. A worker is heard of through its own pipe: by its first
    words, which are its pid, or by an error, or by the end of file when it has never come to be.
    """

    def __init__(self) -> None:
        self._master, self._zygote = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def in_master(self) -> None:
        """After the fork: keep this side only."""
        self._zygote.close()
        self._master.setblocking(False)

    def request(self, slot: int, age: int, status_fd: int) -> None:
        """Have the worker made that is the ``age``-th of the server, for ``slot``; it reports
        through ``status_fd``.

        Raises ``OSError`` if the zygote has ended.
        """
        socket.send_fds(self._master, [b"%d %d" % (slot, age)], [status_fd])

    def give_up(self) -> None:
        """There is no process to be the zygote."""
        self._master.close()
        self._zygote.close()

    def close(self) -> None:
        """Let the zygote end."""
        self._master.close()

    def serve(
        self, become: Callable[[int, int, int], None], look: Callable[[], object] | None = None
    ) -> None:
        """In the zygote: fork until the master hangs up.

        ``become(slot, age, status_fd)`` is called in every worker and must not return. ``look`` is
        called once a second.
        """
        self._master.close()
        gc.collect()
        gc.freeze()
        while True:
            while look is not None and not select([self._zygote], [], [], 1.0)[0]:
                look()
            message, descriptors, _, _ = socket.recv_fds(self._zygote, 32, 1)
            if not message:
                return
            slot, age = map(int, message.split())
            self._fork_twice(slot, age, descriptors[0], become)
            os.close(descriptors[0])

    def _fork_twice(
        self, slot: int, age: int, status_fd: int, become: Callable[[int, int, int], None]
    ) -> None:
        status = StatusPipe(status_fd)
        try:
            between = fork()
        except OSError as error:
            status.cannot_fork(error.errno or 1)
            return
        if between:
            waitpid(between, 0)
            return
        try:
            worker = fork()
        except OSError as error:
            status.cannot_fork(error.errno or 1)
            os._exit(1)
        if worker:
            os._exit(0)
        self._zygote.close()
        try:
            # Before anything that may end it: whoever ends has been heard of.
            status.has_pid(os.getpid())
        except BrokenPipeError:
            os._exit(0)  # the master has given it up
        become(slot, age, status_fd)
