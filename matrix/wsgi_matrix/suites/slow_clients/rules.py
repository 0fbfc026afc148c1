"""Slow clients, one kind per cell: are others served, and how long are slow ones tolerated?

``SLOW`` slow clients connect one after another, as many as in a burst of the default profile: more
than any server here has threads. Then ordinary clients send a request, and then the slow
connections are watched until the server has closed them. There is one worker, because with two it
would be chance whether all slow clients are accepted by the same one.

RFC 9112 section 9.5 assumes that a server has timeouts, but does not specify any. One that is
longer than the observation cannot be distinguished from none, so it can only differ.
"""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Step, Transcript
from wsgi_matrix.suites.conformance.matchers import Actual, Matcher
from wsgi_matrix.suites.conformance.parsed_transcript import parse
from wsgi_matrix.suites.conformance.quotes import SUSTAIN_CONNECTIONS
from wsgi_matrix.suites.conformance.rule import Rule, Variant
from wsgi_matrix.suites.conformance.steps import all_ended, connect, fetch, request, trickle

COUNT = 32
PATIENCE = 3.0
"""Seconds for the ordinary clients, by ``probe/agent/load_adjusted_clock.py``. A free server
responds in milliseconds; one that waits for a timeout of its own takes at least four seconds, so
that this tells them apart even on a busy host."""
OBSERVED = 80.0
"""Seconds for which slow connections are watched: longer than the 60 s of common load balancers and
the 75 s of nginx, which timeouts are usually based on."""
EVERY = 2.0
"""Seconds between two trickled octets: shorter than any timeout for a single read."""

SLOW = tuple(f"slow{number}" for number in range(COUNT))
ORDINARY = tuple(f"ordinary{number}" for number in range(8))
GET = request()
LAST = request("/", "Connection: close")
HALF_HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
HALF_BODY = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n0123456789"
OCTETS = b"a" * int(OBSERVED / EVERY)
TIMEOUT = (
    "Servers will usually have some timeout value beyond which they will no longer maintain an "
    "inactive connection."
)


def _served(transcript: Transcript) -> Actual:
    failed = []
    for name in ORDINARY:
        parsed = parse(transcript, ["GET"], name)
        if not parsed.responses:
            failed.append("no complete response")
        elif parsed.responses[0].status != 200:
            failed.append(f"status {parsed.responses[0].status}")
    if not failed:
        return None
    what = " or ".join(dict.fromkeys(failed))
    return f"{what} within {PATIENCE:g} s for {len(failed)} of {len(ORDINARY)} ordinary clients"


def _connected(transcript: Transcript) -> list[str]:
    """The slow clients whose connection was accepted."""
    out = {x.on for x in transcript.events if x.what == "error" and x.data.startswith(b"connect:")}
    return [name for name in SLOW if name not in out]


def _still_open(transcript: Transcript) -> Actual:
    connected = _connected(transcript)
    left = [name for name in connected if transcript.ended_at(name) is None]
    if not left:
        return None
    return f"{len(left)} of {len(connected)} slow connections still open after {OBSERVED:g} s"


def _tolerated(transcript: Transcript) -> str:
    """The time after which slow connections were closed."""
    connected = _connected(transcript)
    times = [at for name in connected if (at := transcript.ended_at(name)) is not None]
    span = dict.fromkeys(f"{at:.0f}" for at in (min(times), max(times))) if times else {}
    return f"closed after {' to '.join(span)} s" if span else ""


def _waited(transcript: Transcript) -> str:
    """The maximum time that ordinary clients waited."""
    events = [event for event in transcript.events if event.on in ORDINARY]
    sent = min(event.at for event in events if event.what == "sent")
    got = max(event.at for event in events if event.what == "received")
    return f"served in {got - sent:.2f} s"


SERVED = Matcher(f"a 200 response to every ordinary client within {PATIENCE:g} s", _served)
CLOSED = Matcher(
    f"the server closes the connection of every slow client within {OBSERVED:g} s", _still_open
)


def _rules(kind: str, title: str, slow: str, *steps: Step, watched: bool = True) -> list[Rule]:
    """The two rules for a kind of slow clients, checked on one scenario."""
    section = kind.replace("_", "-")
    steps = (
        *steps,
        fetch(ORDINARY, LAST, within=PATIENCE),
        *((all_ended(SLOW, within=OBSERVED),) if watched else ()),
    )
    sends = f"{COUNT} clients that {slow}; then {len(ORDINARY)} clients send a GET"
    served = Rule(
        id=f"{section}/others-served",
        alias=f"{kind}.served",
        level=Level.SHOULD,
        cite="RFC 9112 section 9.5",
        title=f"Others served despite {title}",
        text=SUSTAIN_CONNECTIONS,
        app=kind,
        variants=(Variant(sends=sends, steps=steps, expects=SERVED, figure=_waited, alone=True),),
    )
    closed = Rule(
        id=f"{section}/closed",
        alias=f"{kind}.closed",
        level=Level.MAY,
        cite="RFC 9112 section 9.5",
        title=f"Timeout for {title}",
        text=TIMEOUT,
        app=kind,
        judged_on=served.id,
        variants=(
            Variant(sends=sends, steps=steps, expects=CLOSED, figure=_tolerated, alone=True),
        ),
    )
    return [served, closed] if watched else [served]


RULES: tuple[Rule, ...] = (
    *_rules("silent", "silent clients", "connect and send nothing", connect(SLOW)),
    *_rules("half_head", "half heads", "send half of a head", connect(SLOW, HALF_HEAD)),
    *_rules(
        "trickled_head",
        "trickled heads",
        f"send half of a head, then an octet every {EVERY:g} s",
        connect(SLOW, HALF_HEAD),
        trickle(SLOW, OCTETS, EVERY),
    ),
    *_rules("half_body", "partial content", "send part of the content", connect(SLOW, HALF_BODY)),
    *_rules(
        "trickled_body",
        "trickled content",
        f"send part of the content, then an octet every {EVERY:g} s",
        connect(SLOW, HALF_BODY),
        trickle(SLOW, OCTETS, EVERY),
    ),
    *_rules("idle", "idle connections", "send a GET and stay connected", connect(SLOW, GET)),
    # The end is not visible behind octets that are not read, so these are not watched.
    *_rules(
        "slow_reader",
        "non-reading clients",
        "request 5 MiB and do not read them",
        connect(SLOW, request("/large")),
        watched=False,
    ),
)
