"""Slow clients, a kind in each cell: are good ones served meanwhile, how long are they borne?

``CROWD`` bad clients come one behind the other, as many as a burst of the default profile: more
than any server here has threads. Good clients ask behind them, and then they are watched until the
server has ended their connections. There is one worker: with two it is chance whether all bad
clients come to one of them, and leave the other one free.

That a server has time-outs, RFC 9112 section 9.5 takes for granted ("Servers will usually have
some timeout value") and sets none. One that is longer than the observation cannot be told from
none, so it can only differ.
"""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Step, Transcript
from wsgi_matrix.suites.conformance.parsed_transcript import hear
from wsgi_matrix.suites.conformance.rule import Accept, Rule, Try
from wsgi_matrix.suites.conformance.steps import all_ended, connect, fetch, request, trickle

CROWD = 32
PATIENCE = 3.0
"""Seconds of the good clients, of those that a server gets (``probe/agent/fair_time.py``). One that
is free answers in milliseconds; one that waits for a time-out of its own takes four at the least,
which a machine that is three times as busy as it can be hides."""
OBSERVED = 80.0
"""Seconds for which bad clients are watched: longer than the 60 s of the usual load balancers and
the 75 s of nginx, which time-outs are chosen by."""
EVERY = 2.0
"""Seconds between two octets of a trickle: shorter than any time-out for a single read."""

BAD = tuple(f"bad{number}" for number in range(CROWD))
GOOD = tuple(f"good{number}" for number in range(8))
GET = request()
LAST = request("/", "Connection: close")
HALF_HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
HALF_BODY = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n0123456789"
OCTETS = b"a" * int(OBSERVED / EVERY)


def _answered(transcript: Transcript) -> str:
    bad = []
    for name in GOOD:
        hearing = hear(transcript, ["GET"], name)
        if not hearing.answers:
            bad.append("no whole answer")
        elif hearing.answers[0].status != 200:
            bad.append(f"status {hearing.answers[0].status}")
    if not bad:
        return ""
    told = " or ".join(dict.fromkeys(bad))
    return f"{len(bad)} of {len(GOOD)} good clients got {told} within {PATIENCE:g} s"


def _let_in(transcript: Transcript) -> list[str]:
    """The bad clients that got a connection."""
    out = {x.on for x in transcript.events if x.what == "error" and x.data.startswith(b"connect:")}
    return [name for name in BAD if name not in out]


def _still_open(transcript: Transcript) -> str:
    there = _let_in(transcript)
    left = [name for name in there if transcript.ended_at(name) is None]
    if not left:
        return ""
    return f"{len(left)} of {len(there)} bad clients were borne longer than {OBSERVED:g} s"


def _borne(transcript: Transcript) -> str:
    """After how many seconds bad clients were sent away."""
    there = _let_in(transcript)
    times = [at for name in there if (at := transcript.ended_at(name)) is not None]
    span = dict.fromkeys(f"{at:.0f}" for at in (min(times), max(times))) if times else {}
    return f"closed after {' to '.join(span)} s" if span else ""


def _asked(transcript: Transcript) -> str:
    """How long the good clients waited at most."""
    lines = [line for line in transcript.events if line.on in GOOD]
    sent = min(line.at for line in lines if line.what == "sent")
    got = max(line.at for line in lines if line.what == "received")
    return f"answered in {got - sent:.2f} s"


SERVED = Accept(f"all good clients are answered within {PATIENCE:g} s", _answered)
CLOSED = Accept("the connection of every bad client is closed in the end", _still_open)


def _rules(kind: str, who: str, *bad: Step, watched: bool = True) -> list[Rule]:
    """The two rules of a kind of bad clients, judged on one talk."""
    steps = (
        *bad,
        fetch(GOOD, LAST, within=PATIENCE),
        *((all_ended(BAD, within=OBSERVED),) if watched else ()),
    )
    served = Rule(
        id=f"{kind}.served",
        level=Level.SHOULD,
        cite="RFC 9112 section 9.5",
        says=f"{CROWD} clients that {who} keep nobody else from an answer",
        app=kind,
        tries=(Try(steps=steps, accept=SERVED, figure=_asked, alone=True),),
    )
    closed = Rule(
        id=f"{kind}.closed",
        level=Level.MAY,
        cite="RFC 9112 section 9.5",
        says=f"the server ends connections of clients that {who}",
        app=kind,
        heard_in=served.id,
        tries=(Try(steps=steps, accept=CLOSED, figure=_borne, alone=True),),
    )
    return [served, closed] if watched else [served]


RULES: tuple[Rule, ...] = (
    *_rules("silent", "connect and say nothing", connect(BAD)),
    *_rules("half_head", "send half a head", connect(BAD, HALF_HEAD)),
    *_rules(
        "trickled_head",
        f"send a head octet by octet, one in {EVERY:g} s",
        connect(BAD, HALF_HEAD),
        trickle(BAD, OCTETS, EVERY),
    ),
    *_rules("half_body", "send half a content", connect(BAD, HALF_BODY)),
    *_rules(
        "trickled_body",
        f"send a content octet by octet, one in {EVERY:g} s",
        connect(BAD, HALF_BODY),
        trickle(BAD, OCTETS, EVERY),
    ),
    *_rules("idle", "have their answer and stay", connect(BAD, GET)),
    # Behind octets that are not read no end can be seen, so these are not watched.
    *_rules(
        "slow_reader",
        "ask for much and do not read it",
        connect(BAD, request("/large")),
        watched=False,
    ),
)
