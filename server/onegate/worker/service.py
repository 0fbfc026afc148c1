"""What a connection needs of the worker that it belongs to. Imported for annotations only."""

from __future__ import annotations

import socket
from contextlib import AbstractContextManager

from onegate.http1 import MessageLimits
from onegate.net.forwarded import Forwarded
from onegate.wsgi import Call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from onegate.config.settings import Settings
    from onegate.logs.access_log import AccessLog
    from onegate.logs.refusal_log import Refusals
    from onegate.net.tls import Transport
    from onegate.worker.connection import Connection
    from onegate.worker.response_counts import ResponseCounts


class Service(Protocol):
    """What a connection needs of its worker."""

    settings: Settings
    limits: MessageLimits
    spool: str | None
    now: float
    """Monotonic seconds, read once for each round of the loop."""

    def call(self, call: Call[Connection]) -> bool:
        """Call the application. False if that goes on elsewhere, and ``answered`` follows."""

    def watch(self, connection: Connection) -> None:
        """Tell the connection of further events."""

    def watch_again(self, connection: Connection) -> None:
        """Report once more what it is ready for, after it left something undone."""

    def idle(self) -> None:
        """A connection waits for a request and may be closed, for ``paused``."""

    def closed(self, connection: Connection) -> None:
        """Its descriptor is free again."""

    quick: bool
    """Calls are short just now: one may be put off until all is read that has come, and the end of
    an answer may wait for the end of its connection."""
    asked: list[Call[Connection]]
    """Those that were put off; ``answered`` follows, and ``resume`` if something is unread."""
    paused: bool
    """Nobody is accepted, for there is no room: who is idle may have to go."""
    gathering: bool
    """It may also wait in the kernel until the worker lets all of ``gathered`` go."""
    gathered: list[Transport]

    access: AccessLog | ResponseCounts | None
    refusals: Refusals

    @property
    def stopping(self) -> bool:
        """True if no connection is to be kept alive any more."""

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Between the application's thread and the loop, which may both want to flush."""

    @property
    def forwarded(self) -> Forwarded:
        """Which peers are trusted proxies, and what is believed of them."""

    def alive(self, connection: Connection) -> None:
        """The application goes on: a long answer is not a call that is stuck."""

    def secure(self, sock: socket.SocketType) -> Transport:
        """Put TLS on the socket, if this service speaks it. Raises ``OSError``."""
