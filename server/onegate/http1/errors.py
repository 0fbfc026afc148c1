"""The one error of this package: a message that must be refused."""

from __future__ import annotations


class ProtocolError(Exception):
    """A request that is refused from its bytes alone.

    ``status``: the status code to answer with (RFC 9110, section 15). ``reason``: what is wrong,
    for the log; never echoed to the client. ``method``: "HEAD" if the refused head began with it,
    so that the answer has no content; "GET" stands for every other. After it the connection has
    to be closed, because where the next request begins is no longer known (RFC 9112, 9.6).
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.method = "GET"
