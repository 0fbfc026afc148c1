"""The stop signal and the reload, with a request in flight, one queued, and an idle connection.

The app itself sends the signal: half a second after it was told that another request waits behind
its own, and a second before its response. Servers run with one worker here.

What happens to connections at a server's end RFC 9112 says in sections 9.5 and 9.6: it SHOULD
issue a graceful close, and one that resets may take an answer along that is still on its way. An
answer that was begun is whole or it is no answer (section 8).
"""

from __future__ import annotations

import re

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.suites.conformance.parsed_transcript import Hearing, hear
from wsgi_matrix.suites.conformance.rule import Accept, Rule, Try
from wsgi_matrix.suites.conformance.steps import (
    called,
    close,
    end,
    poll,
    quiet,
    refused,
    request,
    responses,
    send,
)

IN_FLIGHT = 10.0
"""Seconds for the answers that were asked for before the signal."""
IDLE = 5.0
"""Seconds after them in which an idle connection has to be closed."""
CALLED = 5.0
"""Seconds in which the request in flight has to reach the app."""
BEHIND = 0.25
"""Seconds after which a server has taken in who came, if it does so at all meanwhile."""
SIGNALLED = 1.0
"""Seconds after which the signal has been sent, and the request is still in flight."""
LATE = 6.0
"""Seconds of who comes after the signal. Servers that end by themselves do so within four."""
GONE = 12.0
"""Seconds until nobody listens any more."""
RELOADED = 20.0
"""Seconds in which another process has to answer."""
EVERY = 0.003
"""Seconds between two requests: fewer than the gaps in which servers have been seen to lose one."""
AFTERWARDS = 300
"""Answers of the new process that are waited for: about a second, in which the old one ends."""
RELOADS = 3
"""Tries of what is lost: the gap of a server (Apache's, of a few milliseconds) is missed now and
then however often it is asked, and so one reload tells not enough."""

NOT_SERVED = (502, 503, 504)
"""Statuses that say so (RFC 9110 sections 15.6.3 to 15.6.5)."""

GET = request()
LAST = request("/", "Connection: close")


def _signal(name: str) -> bytes:
    return request(f"/signal/{{{name}}}")


def _whole(transcript: Transcript, on: str) -> str:
    hearing = hear(transcript, ["GET"], on)
    if hearing.answers and hearing.answers[0].status == 200:
        return ""
    return _instead(hearing, transcript, on)


def _instead(hearing: Hearing, transcript: Transcript, on: str) -> str:
    if hearing.answers:
        return f"status {hearing.answers[0].status}"
    if hearing.broken or hearing.rest:
        return f"half an answer ({hearing.broken})"
    errors = [x.data.decode() for x in transcript.events if x.on == on and x.what == "error"]
    return f"no answer ({', '.join(errors) or hearing.end})"


def _in_flight(transcript: Transcript) -> str:
    return _whole(transcript, "flying")


def _queued(transcript: Transcript) -> str:
    said = _whole(transcript, "queued")
    # Closed in order and without a word, or told by a gateway that nobody has served it. Which of
    # both is chance, where the gateway ends together with what is behind it.
    closed = transcript.end("queued") == "fin" and not transcript.received("queued")
    found = hear(transcript, ["GET"], "queued").answers
    return "" if closed or (found and found[0].status in NOT_SERVED) else said


def _late(transcript: Transcript) -> str:
    said = _whole(transcript, "late")
    # Never heard: whether a dying server refuses, ends or resets is chance.
    kept_out = not transcript.received("late") and (
        transcript.end("late") != "open"
        or any(x.on == "late" and b"ECONNREFUSED" in x.data for x in transcript.events)
    )
    return "" if kept_out else said


def _idle(transcript: Transcript) -> str:
    found = transcript.end("idle")
    return "" if found == "fin" else f"the connection: {found}"


def _gone(transcript: Transcript) -> str:
    if any(line.what == "refused" for line in transcript.events):
        return ""
    return f"the port is still open {GONE:g} s after the last answer"


def _seconds(transcript: Transcript) -> str:
    """Seconds from the answer in flight until nobody listened."""
    answered = [x.at for x in transcript.events if x.on == "flying" and x.what == "received"]
    closed = [x.at for x in transcript.events if x.what == "refused"]
    if not answered or not closed:
        return ""
    return f"refused {max(0.0, closed[0] - answered[-1]):.1f} s after the answer in flight"


def _nothing_lost(transcript: Transcript) -> str:
    names = list(dict.fromkeys(x.on for x in transcript.events if re.fullmatch(r"new\d+", x.on)))
    lost = {name: said for name in names if (said := _whole(transcript, name))}
    if lost:
        name, said = next(iter(lost.items()))
        return f"{len(lost)} of {len(names)} requests lost; {name}: {said}"
    return "" if names else "nobody was let in"


def _counted(transcript: Transcript) -> str:
    names = {x.on for x in transcript.events if re.fullmatch(r"new\d+", x.on)}
    return f"{len(names)} requests, none lost"


def _reloaded(transcript: Transcript) -> str:
    if any(line.on == "new" and line.what == "timeout" for line in transcript.events):
        return f"no other process answered within {RELOADED:g} s"
    return ""


def _reused(transcript: Transcript) -> str:
    hearing = hear(transcript, ["GET", "GET"], "idle")
    if len(hearing.answers) == 2 or (hearing.end == "fin" and not hearing.broken):
        return ""
    return _instead(hearing, transcript, "idle") if hearing.broken else f"it ended: {hearing.end}"


STOP = (
    send(GET, on="idle"),
    responses("GET", on="idle"),
    send(_signal("stop_signal"), on="flying"),
    called(on="app", within=CALLED),
    send(LAST, on="queued"),
    quiet(on="queued", within=BEHIND),
    close(on="app"),
    quiet(on="flying", within=SIGNALLED),
    send(LAST, on="late"),
    responses("GET", on="late", within=LATE),
    responses("GET", on="flying", within=IN_FLIGHT),
    responses("GET", on="queued", within=IN_FLIGHT),
    end(on="queued"),
    end(on="idle", within=IDLE),
    refused(on="gone", within=GONE),
)
RELOAD = (
    send(GET, on="idle"),
    responses("GET", on="idle"),
    send(_signal("reload_signal"), on="flying"),
    called(on="app", within=CALLED),
    send(LAST, on="queued"),
    quiet(on="queued", within=BEHIND),
    close(on="app"),
    poll(LAST, "new", unlike="idle", every=EVERY, times=AFTERWARDS, within=RELOADED),
    responses("GET", on="flying", within=IN_FLIGHT),
    responses("GET", on="queued", within=IN_FLIGHT),
    quiet(on="idle"),
    send(GET, on="idle"),
    responses("GET", on="idle"),
)
WHOLE = Accept("a whole answer, 200", _in_flight)
QUEUED = Accept(
    "a whole answer, 200; or a close in order without any octet of one, or 502, 503 or 504", _queued
)


def _rule(name: str, level: Level, says: str, accept: Accept, **more: object) -> Rule:
    """A rule of the talk that its name begins with; the first of a talk brings it along.

    What is lost at a reload is asked for in reloads of its own.
    """
    app, _, part = name.partition(".")
    first = f"{app}.in_flight"
    return Rule(
        id=name,
        level=level,
        cite="RFC 9112 sections 8, 9.5 and 9.6",
        says=says,
        app=app,
        heard_in="" if part in ("in_flight", "lost") else first,
        tries=tuple(
            Try(
                name=again,
                steps=STOP if app == "stop" else RELOAD,
                accept=accept,
                alone=True,
                **more,  # type: ignore[arg-type]
            )
            for again in (map(str, range(1, RELOADS + 1)) if part == "lost" else ("",))
        ),
    )


RULES: tuple[Rule, ...] = (
    _rule(
        "stop.in_flight",
        Level.SHOULD,
        "a request in flight at the stop signal is answered whole",
        WHOLE,
    ),
    _rule(
        "stop.queued",
        Level.SHOULD,
        "a request that waits at the stop signal is answered, or let go in order",
        QUEUED,
    ),
    _rule(
        "stop.idle",
        Level.SHOULD,
        "an idle connection is closed in order at the stop signal",
        Accept("FIN, and no reset", _idle),
    ),
    _rule(
        "stop.late",
        Level.MAY,
        "who comes after the stop signal is let go without a word, or answered",
        Accept("no connection, one that is ended without an octet, or a whole answer", _late),
    ),
    _rule(
        "stop.gone",
        Level.SHOULD,
        "nobody listens once all is answered",
        Accept("connects are refused", _gone),
        figure=_seconds,
    ),
    _rule(
        "reload.in_flight",
        Level.SHOULD,
        "a request in flight at the reload is answered whole",
        WHOLE,
    ),
    _rule(
        "reload.queued",
        Level.SHOULD,
        "a request that waits at the reload is answered",
        Accept("a whole answer, 200", lambda transcript: _whole(transcript, "queued")),
    ),
    _rule(
        "reload.lost",
        Level.SHOULD,
        "no request is lost while the server reloads",
        Accept("a whole answer, 200, to every request", _nothing_lost),
        figure=_counted,
    ),
    _rule(
        "reload.done",
        Level.SHOULD,
        "after the reload a new process answers",
        Accept("answers of another process", _reloaded),
    ),
    _rule(
        "reload.idle",
        Level.SHOULD,
        "an idle connection is closed in order at the reload, or goes on",
        Accept("a second answer, or FIN", _reused),
    ),
)
