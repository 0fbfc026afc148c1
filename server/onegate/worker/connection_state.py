"""The states of a connection.

state    meaning                                 leaves it by
───────  ──────────────────────────────────────  ─────────────────────────────────────────────
IDLE     no octet of a request is here           octets → HEAD · EOF, timeout → CLOSED
HEAD     part of a request's head is here        head → BODY or CALL · timeout → CLOSED
BODY     its content is on the way               last of it → CALL · timeout → CLOSED
CALL     the application is called               response → IDLE, WRITE or CLOSED
WRITE    the client has not taken all of it      taken → IDLE, LINGER or CLOSED
LINGER   sent and shut; what still comes is      EOF, timeout → CLOSED
         read and dropped, so that no reset
         destroys the response (RFC 9112, 9.6)
CLOSED   the descriptor is given back
"""

from __future__ import annotations

from enum import IntEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class State(IntEnum):
    """See the table above."""

    IDLE = 0
    HEAD = 1
    BODY = 2
    CALL = 3
    WRITE = 4
    LINGER = 5
    CLOSED = 6


# Looking a member up on the class is slow on Python 3.11, and a connection does it all the time.
IDLE: Final = State.IDLE
HEAD: Final = State.HEAD
BODY: Final = State.BODY
CALL: Final = State.CALL
WRITE: Final = State.WRITE
LINGER: Final = State.LINGER
CLOSED: Final = State.CLOSED
