"""``--preload``: a process that has loaded the application, and from which workers are forked.

The master stays free of the application's code, so that it can load it anew: a new template is
made for each generation. Workers share the template's memory, which ``gc.freeze`` keeps the
collector from touching. They are forked twice, so that they become children of the master, which
adopts orphans (``subreaper``).
"""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import Callable
from os import fork, waitpid
from select import select

_ANSWER_SECONDS = 10.0


class Template:
    """The master's end of the line to a template."""

    def __init__(self) -> None:
        self._master, self._template = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def in_master(self) -> None:
        """After the fork: keep this side only."""
        self._template.close()
        self._master.settimeout(_ANSWER_SECONDS)

    def fork(self, slot: int, age: int, boot: int) -> int:
        """Have the worker made that is the ``age``-th of the server, for ``slot``; it tells of
        itself through ``boot``. Return its process number.

        Raises ``OSError`` if that did not work.
        """
        socket.send_fds(self._master, [b"%d %d" % (slot, age)], [boot])
        try:
            answer = int(self._master.recv(32) or b"-1")
        except TimeoutError:
            # Its answer may still come, and must not be taken for that to another question.
            self.close()
            raise
        if answer <= 0:
            raise OSError(-answer, os.strerror(-answer))
        return answer

    def give_up(self) -> None:
        """There is no process to be the template."""
        self._master.close()
        self._template.close()

    def close(self) -> None:
        """Let the template end."""
        self._master.close()

    def serve(
        self, become: Callable[[int, int, int], None], look: Callable[[], object] | None = None
    ) -> None:
        """In the template: fork until the master hangs up.

        ``become(slot, age, boot)`` is called in every worker and must not return. ``look`` is
        called once a second.
        """
        self._master.close()
        gc.collect()
        gc.freeze()
        while True:
            while look is not None and not select([self._template], [], [], 1.0)[0]:
                look()
            message, descriptors, _, _ = socket.recv_fds(self._template, 32, 1)
            if not message:
                return
            slot, age = map(int, message.split())
            self._fork_twice(slot, age, descriptors[0], become)
            os.close(descriptors[0])

    def _fork_twice(
        self, slot: int, age: int, boot: int, become: Callable[[int, int, int], None]
    ) -> None:
        try:
            between = fork()
        except OSError as error:
            self._template.send(b"%d" % -(error.errno or 1))
            return
        if between:
            waitpid(between, 0)
            return
        try:
            worker = fork()
        except OSError as error:
            self._template.send(b"%d" % -(error.errno or 1))
            os._exit(1)
        if worker:
            self._template.send(b"%d" % worker)
            os._exit(0)
        self._template.close()
        become(slot, age, boot)
