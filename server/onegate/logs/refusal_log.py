"""Rejected requests and truncated responses: a line in the error log for each, with the reason.

    INFO 400 to 192.0.2.1:4711, 'GET /x HTTP/1.1': HTTP/1.1 without Host

Clients decide how many there are, so the lines are limited: a burst, then one a second, then the
number of those left out. At ``--log-level debug`` all of them are logged. What a client sent is
escaped and truncated.
"""

from __future__ import annotations

import logging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

log = logging.getLogger("onegate.error")

BURST = 10
"""Lines at once; one more a second."""
_LENGTH = 200
"""Maximum number of characters of anything that a client has sent."""
REQUEST_LINE = "onegate.request_line"
"""Key in the environ of a request whose line is invalid."""


class Refusals:
    """Writes these lines for one worker."""

    def __init__(self) -> None:
        self._count = 0
        """Number of refused requests."""
        self._room = float(BURST)
        self._since = 0.0
        self._left_out = 0

    def add(self) -> None:
        """Another request was refused."""
        self._count += 1

    def take(self) -> int:
        """How many were, which begins at 0 again."""
        count, self._count = self._count, 0
        return count

    def __call__(
        self,
        now: float,
        peer: tuple[str, str],
        environ: dict[str, Any],
        what: str,
        why: str,
        detail: str = "",
        *,
        own: bool = False,
    ) -> None:
        """Log one line, within the limit.

        ``now``: monotonic seconds. ``peer``: address and port of the other end; empty on a Unix
        socket. ``environ``: of the request, as far as it is known. ``what``: the outcome.
        ``detail``: what a client has sent, verbatim. ``own``: it is the server's own fault, an
        error that is never left out.
        """
        level = logging.ERROR
        if not own:
            self.look(now)
            level = logging.INFO
            if self._room >= 1:
                self._room -= 1
            elif log.isEnabledFor(logging.DEBUG):
                level = logging.DEBUG
            else:
                self._left_out += 1
                return
        why = f"{why}, {quoted(detail)}" if detail else why
        log.log(level, "%s to %s%s: %s", what, _client(peer, environ), _request(environ), why,
                extra={"environ": environ})  # fmt: skip

    @staticmethod
    def no_tls(peer: tuple[str, str], error: OSError) -> None:
        """Log that TLS with ``peer`` has failed; at debug, since port scans and health checks cause
        it too."""
        log.debug("TLS with %s failed: %s", _client(peer, {}), error)

    def look(self, now: float) -> None:
        """Log how many lines were left out, once the limit allows it."""
        self._room = min(float(BURST), self._room + now - self._since)
        self._since = now
        if self._left_out and self._room >= 1:
            self._room -= 1
            log.info(
                "%d more rejected requests and truncated responses not logged;"
                " --log-level debug logs all of them",
                self._left_out,
            )
            self._left_out = 0


def _client(peer: tuple[str, str], environ: dict[str, Any]) -> str:
    """The peer, and its client if it is a trusted proxy."""
    address, port = peer
    name = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    name = name if address else "a Unix socket"
    client = environ.get("REMOTE_ADDR")
    return f"{name} for {client}" if client and client != address else name


def _request(environ: dict[str, Any]) -> str:
    """The request line, as far as it is known."""
    parts = [environ.get(key) for key in ("REQUEST_METHOD", "RAW_URI", "SERVER_PROTOCOL")]
    line = " ".join(part for part in parts if part) or environ.get(REQUEST_LINE, "")
    return f", {quoted(line)}" if line else ""


def quoted(text: str) -> str:
    """Something that a client has sent, truncated and escaped."""
    return ascii(text) if len(text) <= _LENGTH else ascii(text[:_LENGTH]) + "..."
