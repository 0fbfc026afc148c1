"""Steps of scenarios, as rules are written with them: ``(send(GET), responses("GET"), end())``.

Times are the maximum seconds of a step, which ends earlier when it gets what it waits for.
"""

from __future__ import annotations

from wsgi_matrix.model.wire import Step

PATIENCE = 5.0
"""For a response."""
CLOSING = 2.0
"""For an expected close of a connection."""
CONNECTING = 2.0
"""For many connections to be accepted."""
PAUSE = 0.25
"""Of silence, so that octets sent after it arrive separately from those before."""


def send(data: bytes, on: str = "a") -> Step:
    """Send octets."""
    return Step(do="send", on=on, data=data)


def responses(*methods: str, on: str = "a", within: float = PATIENCE) -> Step:
    """Wait for a complete final response to each request; the method determines its framing."""
    return Step(do="responses", on=on, methods=methods, within=within)


def head(on: str = "a", within: float = PATIENCE) -> Step:
    """Wait for the head of a response, interim (100, 103) or final."""
    return Step(do="head", on=on, within=within)


def quiet(on: str = "a", within: float = PAUSE) -> Step:
    """Receive until nothing has come for ``within`` seconds."""
    return Step(do="quiet", on=on, within=within)


def end(on: str = "a", within: float = CLOSING) -> Step:
    """Wait until the server closes the connection."""
    return Step(do="end", on=on, within=within)


def late_reset(on: str = "a", within: float = PAUSE) -> Step:
    """See whether a reset follows the server's FIN."""
    return Step(do="late_reset", on=on, within=within)


def half_close(on: str = "a") -> Step:
    """Send FIN, and continue to read."""
    return Step(do="half_close", on=on)


def close(on: str = "a") -> Step:
    """Close: FIN, or RST if something is unread."""
    return Step(do="close", on=on)


def reset(on: str = "a") -> Step:
    """Close with RST."""
    return Step(do="reset", on=on)


def connect(names: tuple[str, ...], data: bytes = b"", within: float = CONNECTING) -> Step:
    """Open many connections, as fast as they are accepted, and send the same on each; one that is
    not accepted in time is left out."""
    return Step(do="connect", among=names, data=data, within=within)


def fetch(names: tuple[str, ...], data: bytes, within: float) -> Step:
    """Send the same request on many connections, opened as by :func:`connect`; each is closed when
    it has its response."""
    return Step(do="fetch", among=names, data=data, within=within)


def trickle(names: tuple[str, ...], data: bytes, every: float) -> Step:
    """Start to send octet by octet, in parallel to the next steps."""
    return Step(do="trickle", among=names, data=data, every=every)


def all_ended(names: tuple[str, ...], within: float) -> Step:
    """Read all these connections until the server has closed each."""
    return Step(do="all_ended", among=names, within=within)


def poll(data: bytes, on: str, *, unlike: str, every: float, times: int, within: float) -> Step:
    """Send a request repeatedly, each on a new connection (``on`` and a number), until
    ``times`` responses had other content than the first one on the connection ``unlike``.
    """
    names = (unlike,)
    return Step(do="poll", on=on, among=names, data=data, every=every, times=times, within=within)


def refused(on: str, within: float) -> Step:
    """Connect until the port refuses, because nothing listens there any more."""
    return Step(do="refused", on=on, within=within)


def called(on: str, within: float) -> Step:
    """Wait until the app of the suite ``shutdown`` is called; then close ``on`` to continue."""
    return Step(do="called", on=on, within=within)


def request(
    target: str = "/",
    *fields: str,
    method: str = "GET",
    version: str = "HTTP/1.1",
    host: str | None = "localhost",
    body: bytes | None = None,
) -> bytes:
    """A request, well-formed except for the arguments; ``body`` adds its Content-Length."""
    lines = [f"{method} {target} {version}"]
    lines += [f"Host: {host}"] if host is not None else []
    lines += fields
    lines += [f"Content-Length: {len(body)}"] if body is not None else []
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")
