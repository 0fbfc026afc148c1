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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_ANSWER_SECONDS = 10.0


class Template:
    """The master's end of the line to a template."""

    def __init__(self) -> None:
        self._master, self._template = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def in_master(self) -> None:
        """After the fork: keep this side only."""
        self._template.close()
        self._master.settimeout(_ANSWER_SECONDS)

    def fork(self, slot: int, boot: int) -> int:
        """Have a worker made for ``slot`` that tells of itself through ``boot``; return its number.

        Raises ``OSError`` if that did not work.
        """
        socket.send_fds(self._master, [b"%d" % slot], [boot])
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

    def serve(self, app: Callable[..., Any], become: Callable[[int, int, Any], None]) -> None:
        """In the template: fork until the master hangs up.

        ``become(slot, boot, app)`` is called in every worker and must not return.
        """
        self._master.close()
        gc.collect()
        gc.freeze()
        while True:
            message, descriptors, _, _ = socket.recv_fds(self._template, 32, 1)
            if not message:
                return
            self._fork_twice(int(message), descriptors[0], app, become)
            os.close(descriptors[0])

    def _fork_twice(
        self, slot: int, boot: int, app: Callable[..., Any], become: Callable[[int, int, Any], None]
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
        become(slot, boot, app)
