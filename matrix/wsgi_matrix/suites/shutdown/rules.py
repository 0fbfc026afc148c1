"""The stop signal and the reload, with a request in flight, a queued one, and an idle connection.

The app itself sends the signal: half a second after the client has reported that another request
waits behind this one, and a second before its response. Servers run with one worker here.

RFC 9112 sections 9.5 and 9.6 describe the end of connections when a server stops: it SHOULD issue a
graceful close, and a reset may destroy a response that is still in transit. A response that was
started must be complete (section 8).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from wsgi_matrix.model.results import Level
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.suites.conformance.matchers import Actual, Matcher
from wsgi_matrix.suites.conformance.parsed_transcript import ParsedConnection, parse
from wsgi_matrix.suites.conformance.quotes import SUSTAIN_CONNECTIONS
from wsgi_matrix.suites.conformance.rule import OWN, Rule, Variant
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
"""Seconds for the responses to requests before the signal."""
IDLE = 5.0
"""Seconds after them in which an idle connection must be closed."""
CALLED = 5.0
"""Seconds in which the request in flight must reach the app."""
QUEUED = 0.25
"""Seconds after which a server has accepted a second client, if it does so during a call."""
SIGNALLED = 1.0
"""Seconds after which the signal has been sent, and the request is still in flight."""
LATE = 6.0
"""Seconds for a client that connects after the signal. Servers that exit by themselves do so within
four."""
GONE = 12.0
"""Seconds until the port must be closed."""
RELOADED = 20.0
"""Seconds in which another process must respond."""
EVERY = 0.003
"""Seconds between two requests: shorter than the gaps in which servers have lost one."""
AFTERWARDS = 300
"""Responses of the new process to wait for: about a second, in which the old one exits."""
RELOADS = 3
"""Number of variants for lost requests: a short gap (Apache's has a few milliseconds) is sometimes
missed however often requests are sent, so one reload is not enough."""

NOT_SERVED = (502, 503, 504)
"""Statuses for an unavailable server (RFC 9110 sections 15.6.3 to 15.6.5)."""

GET = request()
LAST = request("/", "Connection: close")

GRACEFUL_CLOSE = (
    "A client or server that wishes to time out SHOULD issue a graceful close on the connection."
)
CLOSE_AT_ANY_TIME = (
    "A client, server, or proxy MAY close the transport connection at any time. For example, a "
    "client might have started to send a new request at the same time that the server has decided "
    'to close the "idle" connection.'
)
NOBODY_LISTENS = "A stopped server accepts no connections after its last response."
NEW_CODE = "After a reload, responses come from a new process, which has the new code."
"""Not required by a standard."""


def _signal(name: str) -> bytes:
    return request(f"/signal/{{{name}}}")


def _whole(transcript: Transcript, on: str) -> Actual:
    parsed = parse(transcript, ["GET"], on)
    if parsed.responses and parsed.responses[0].status == 200:
        return None
    return _instead(parsed, transcript, on)


def _instead(parsed: ParsedConnection, transcript: Transcript, on: str) -> str:
    if parsed.responses:
        return f"status {parsed.responses[0].status}"
    if parsed.broken or parsed.rest:
        return f"an incomplete response ({parsed.broken})"
    errors = [x.data.decode() for x in transcript.events if x.on == on and x.what == "error"]
    return f"no response ({', '.join(errors) or parsed.end})"


def _in_flight(transcript: Transcript) -> Actual:
    return _whole(transcript, "flying")


def _queued(transcript: Transcript) -> Actual:
    # Closed gracefully without a response, or a gateway reports that it was not served. Which of
    # both is chance, if the gateway exits together with the server behind it.
    closed = transcript.end("queued") == "fin" and not transcript.received("queued")
    found = parse(transcript, ["GET"], "queued").responses
    if closed or (found and found[0].status in NOT_SERVED):
        return None
    return _whole(transcript, "queued")


def _late(transcript: Transcript) -> Actual:
    # It need not be served; whether a stopping server refuses, closes or resets is chance.
    kept_out = not transcript.received("late") and (
        transcript.end("late") != "open"
        or any(x.on == "late" and b"ECONNREFUSED" in x.data for x in transcript.events)
    )
    return None if kept_out else _whole(transcript, "late")


def _idle(transcript: Transcript) -> Actual:
    found = transcript.end("idle")
    return None if found == "fin" else f"the idle connection: {found}"


def _port_closed(transcript: Transcript) -> Actual:
    if any(event.what == "refused" for event in transcript.events):
        return None
    return f"an open port, {GONE:g} s after the last response"


def _seconds(transcript: Transcript) -> str:
    """Seconds from the response in flight until the port was closed."""
    responded = [x.at for x in transcript.events if x.on == "flying" and x.what == "received"]
    closed = [x.at for x in transcript.events if x.what == "refused"]
    if not responded or not closed:
        return ""
    return f"refused {max(0.0, closed[0] - responded[-1]):.1f} s after the response in flight"


def _nothing_lost(transcript: Transcript) -> Actual:
    names = list(dict.fromkeys(x.on for x in transcript.events if re.fullmatch(r"new\d+", x.on)))
    lost = {name: actual for name in names if (actual := _whole(transcript, name)) is not None}
    if lost:
        name, actual = next(iter(lost.items()))
        return f"{len(lost)} of {len(names)} requests lost; {name}: {actual}"
    return None if names else "no connection was accepted"


def _counted(transcript: Transcript) -> str:
    names = {x.on for x in transcript.events if re.fullmatch(r"new\d+", x.on)}
    return f"{len(names)} requests, none lost"


def _new_process(transcript: Transcript) -> Actual:
    if any(event.on == "new" and event.what == "timeout" for event in transcript.events):
        return f"no response of another process within {RELOADED:g} s"
    return None


def _reused(transcript: Transcript) -> Actual:
    parsed = parse(transcript, ["GET", "GET"], "idle")
    if len(parsed.responses) == 2 or (parsed.end == "fin" and not parsed.broken):
        return None
    if parsed.broken:
        return _instead(parsed, transcript, "idle")
    return f"the idle connection: {parsed.end}"


STOP = (
    send(GET, on="idle"),
    responses("GET", on="idle"),
    send(_signal("stop_signal"), on="flying"),
    called(on="app", within=CALLED),
    send(LAST, on="queued"),
    quiet(on="queued", within=QUEUED),
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
    quiet(on="queued", within=QUEUED),
    close(on="app"),
    poll(LAST, "new", unlike="idle", every=EVERY, times=AFTERWARDS, within=RELOADED),
    responses("GET", on="flying", within=IN_FLIGHT),
    responses("GET", on="queued", within=IN_FLIGHT),
    quiet(on="idle"),
    send(GET, on="idle"),
    responses("GET", on="idle"),
)
STEPS = {"shutdown": STOP, "reload": RELOAD}
"""By app."""
BEFORE = "a GET on a connection that stays idle; one in flight; one queued; "
SENDS = {
    "stop": BEFORE + "the stop signal; a GET on a new connection",
    "reload": BEFORE + "the signal for a reload; GETs on new connections until another process has "
    f"responded {AFTERWARDS} times; a second GET on the idle connection",
}
WHOLE = Matcher("a 200 response to the request in flight", _in_flight)


def _rule(
    name: str,
    alias: str,
    level: Level,
    title: str,
    text: str,
    expects: Matcher,
    figure: Callable[[Transcript], str] = lambda _transcript: "",
) -> Rule:
    """A rule of the scenario that its id begins with; the scenario belongs to the first such rule.

    Lost requests at a reload have their own scenarios.
    """
    section, _, _ = name.partition("/")
    app = "shutdown" if section == "stop" else section
    first = f"{section}/request-in-flight"
    lost = name == "reload/no-request-lost"
    return Rule(
        id=name,
        alias=alias,
        level=level,
        cite=OWN if text in (NOBODY_LISTENS, NEW_CODE) else "RFC 9112 section 9.5",
        title=title,
        text=text,
        app=app,
        judged_on="" if lost or name == first else first,
        variants=tuple(
            Variant(
                name=again,
                sends=SENDS[section],
                steps=STEPS[app],
                expects=expects,
                figure=figure,
                alone=True,
            )
            for again in (map(str, range(1, RELOADS + 1)) if lost else ("",))
        ),
    )


RULES: tuple[Rule, ...] = (
    _rule(
        "stop/request-in-flight",
        "shutdown.in_flight",
        Level.SHOULD,
        "Request in flight at stop",
        SUSTAIN_CONNECTIONS,
        WHOLE,
    ),
    _rule(
        "stop/request-queued",
        "shutdown.queued",
        Level.SHOULD,
        "Request queued at stop",
        SUSTAIN_CONNECTIONS,
        Matcher(
            "a 200 response to the queued request; or FIN without an octet of one; or 502, 503 or "
            "504",
            _queued,
        ),
    ),
    _rule(
        "stop/idle-connection",
        "shutdown.idle",
        Level.SHOULD,
        "Idle connection at stop",
        GRACEFUL_CLOSE,
        Matcher("FIN on the idle connection, and no reset", _idle),
    ),
    _rule(
        "stop/new-connection",
        "shutdown.late",
        Level.MAY,
        "Connection after the stop signal",
        CLOSE_AT_ANY_TIME,
        Matcher(
            "the new connection is refused, or closed without an octet, or gets a 200 response",
            _late,
        ),
    ),
    _rule(
        "stop/port-closed",
        "shutdown.gone",
        Level.SHOULD,
        "Port after the last response",
        NOBODY_LISTENS,
        Matcher(f"connections are refused within {GONE:g} s of the last response", _port_closed),
        _seconds,
    ),
    _rule(
        "reload/request-in-flight",
        "reload.in_flight",
        Level.SHOULD,
        "Request in flight at reload",
        SUSTAIN_CONNECTIONS,
        WHOLE,
    ),
    _rule(
        "reload/request-queued",
        "reload.queued",
        Level.SHOULD,
        "Request queued at reload",
        SUSTAIN_CONNECTIONS,
        Matcher(
            "a 200 response to the queued request",
            lambda transcript: _whole(transcript, "queued"),
        ),
    ),
    _rule(
        "reload/no-request-lost",
        "reload.lost",
        Level.SHOULD,
        "Requests during a reload",
        SUSTAIN_CONNECTIONS,
        Matcher("a 200 response to every request on a new connection", _nothing_lost),
        _counted,
    ),
    _rule(
        "reload/new-process",
        "reload.done",
        Level.SHOULD,
        "Responses of a new process",
        NEW_CODE,
        Matcher(f"responses of another process within {RELOADED:g} s", _new_process),
    ),
    _rule(
        "reload/idle-connection",
        "reload.idle",
        Level.SHOULD,
        "Idle connection at reload",
        GRACEFUL_CLOSE,
        Matcher("a second response on the idle connection, or FIN", _reused),
    ),
)
