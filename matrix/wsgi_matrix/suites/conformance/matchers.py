"""Matchers: describe in words what is accepted in a scenario, and find mismatches.

Words and check are one object, so that documentation, reports and verdicts agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from wsgi_matrix.model.mismatch import Mismatch
from wsgi_matrix.model.wire import Transcript
from wsgi_matrix.suites.conformance.parsed_transcript import ParsedResponse, parse

Actual = str | None
"""What was observed instead of the expected result, in words; ``None`` if it matches."""

CLIENT_ERRORS = range(400, 500)
SERVER_ERRORS = range(500, 600)
ERRORS = range(400, 600)


@dataclass(frozen=True)
class Matcher:
    """What is accepted."""

    description: str
    """In words: what the server does, as ``a 400 response, then the connection is closed``."""
    differs: Callable[[Transcript], Actual]

    def mismatch(self, transcript: Transcript) -> Mismatch | None:
        """What was expected and observed; ``None`` if the transcript matches."""
        actual = self.differs(transcript)
        return None if actual is None else Mismatch(expected=self.description, actual=actual)


def response(
    *status: int,
    method: str = "GET",
    closed: bool | None = None,
    check: Callable[[ParsedResponse], Actual] | None = None,
    says: str = "",
    on: str = "a",
    awaited: bool = False,
) -> Matcher:
    """One complete response, and no octet after it.

    ``status``: any of these; none: any at all. ``closed``: whether the connection must be closed
    after it (the scenario must wait for that). ``check``: finds other mismatches, described by
    ``says``. ``awaited``: octets after the response only count if the scenario waited for the end.
    """

    def differs(transcript: Transcript) -> Actual:
        parsed = parse(transcript, [method], on)
        if not parsed.responses:
            return parsed.nothing
        found = parsed.responses[0]
        if status and found.status not in status:
            return f"status {found.status}"
        # If the scenario does not wait for more, what arrives with the response is chance.
        if parsed.rest and (not awaited or parsed.end != "open" or transcript.timed_out()):
            return f"{len(parsed.rest)} octets after the response"
        if closed is not None and parsed.closed is not closed:
            return f"the connection after the response: {parsed.end}"
        return check(found) if check else None

    words = _statuses(status) + (f" {says}" if says else "")
    return Matcher(words + AFTERWARDS[closed], differs)


AFTERWARDS = {
    True: ", then the connection is closed",
    False: ", and the connection stays open",
    None: "",
}


def _statuses(status: Sequence[int]) -> str:
    ranges = {(): "a", tuple(CLIENT_ERRORS): "a 4xx", tuple(SERVER_ERRORS): "a 5xx",
              tuple(ERRORS): "a 4xx or 5xx"}  # fmt: skip
    return (ranges.get(tuple(status)) or f"a {one_of(map(str, status))}") + " response"


def one_of(words: Iterable[str]) -> str:
    """``a, b or c``."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def refused(*status: int, method: str = "GET", on: str = "a") -> Matcher:
    """A 4xx or 5xx (or one of ``status``) and a closed connection: nothing after it is read."""
    return response(*(status or ERRORS), method=method, closed=True, on=on)


def silence(on: str = "a") -> Matcher:
    """The connection is closed, and no octet was sent on it."""

    def differs(transcript: Transcript) -> Actual:
        if transcript.received(on):
            return "a response"
        return None if transcript.end(on) != "open" else "no response, and an open connection"

    return Matcher("the connection is closed without a response", differs)


def either(*matchers: Matcher) -> Matcher:
    """Any of these. The mismatch is that of the first one."""

    def differs(transcript: Transcript) -> Actual:
        found = [each.differs(transcript) for each in matchers]
        return None if None in found else found[0]

    return Matcher("; or ".join(each.description for each in matchers), differs)


def all_of(*matchers: Matcher) -> Matcher:
    """All of these."""

    def differs(transcript: Transcript) -> Actual:
        found = (each.differs(transcript) for each in matchers)
        return next((each for each in found if each is not None), None)

    return Matcher("; and ".join(each.description for each in matchers), differs)


def described(description: str, matcher: Matcher) -> Matcher:
    """``matcher`` with another description."""
    return Matcher(description, matcher.differs)


def parsed_head(
    check: Callable[[ParsedResponse], Actual], description: str, method: str = "GET"
) -> Matcher:
    """A response whose head passes ``check``; octets after it are left to other rules."""

    def differs(transcript: Transcript) -> Actual:
        parsed = parse(transcript, [method])
        return check(parsed.responses[0]) if parsed.responses else parsed.nothing

    return Matcher(description, differs)
