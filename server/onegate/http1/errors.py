"""The one error of this package: a message that must be refused."""

from __future__ import annotations


class ProtocolError(Exception):
    """A request that is refused from its bytes alone.

    ``status``: the status code of the response (RFC 9110, section 15). ``reason``: what is wrong,
    for the log; never echoed to the client. ``detail``: what came instead, as it came, if it shows
    more than that and is no secret: of a field line its name alone. ``method``: "HEAD" if the
    refused head began with it, so that the response has no content; "GET" stands for every other.
    After it the connection has to be closed, because where the next request begins is no longer
    known (RFC 9112, 9.6).
    """

    def __init__(self, status: int, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.method = "GET"
