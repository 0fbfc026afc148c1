"""Rules: a requirement with its citation, the talks that show it, and what is accepted of each.

An :class:`Accept` says in words what it accepts and finds what is wrong with a transcript, so that
report and judgement cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from wsgi_matrix.model.results import Level, Outcome
from wsgi_matrix.model.wire import Scenario, Step, Transcript
from wsgi_matrix.suites.case import Case, Evidence, Verdict
from wsgi_matrix.suites.conformance.parsed_transcript import Heard, hear, shown

MOST_SHOWN = 6
"""Connections of a talk that are shown where a rule is broken."""


@dataclass(frozen=True)
class Accept:
    """What is accepted. ``fault`` tells what came instead; empty where it is as it has to be."""

    says: str
    fault: Callable[[Transcript], str]


@dataclass(frozen=True, kw_only=True)
class Try:
    """One way of asking for a rule."""

    name: str = ""
    """Tells the tries of a rule apart; empty where it has one only."""
    steps: tuple[Step, ...]
    accept: Accept
    figure: Callable[[Transcript], str] = lambda _transcript: ""
    """What was measured, for the report of a rule that is kept."""
    alone: bool = False
    """Nothing else may be going on in the cell meanwhile: it may end or block the server."""


@dataclass(frozen=True)
class Unseen:
    """A rule of which nothing can be seen from outside, and why."""

    id: str
    level: Level
    cite: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule; every one of its tries has to be accepted."""

    id: str
    level: Level
    cite: str
    says: str
    tries: tuple[Try, ...]
    app: str = ""
    """Name of the app that it is asked of; empty: any app of its suite."""
    heard_in: str = ""
    """Id of the rule whose talks it is judged on as well; empty: it has its own."""

    def scenarios(self) -> tuple[Scenario, ...]:
        """What has to be had out for it."""
        if self.heard_in:
            return ()
        return tuple(
            Scenario(name=self.talk_name(each), steps=each.steps, alone=each.alone, app=self.app)
            for each in self.tries
        )

    def talk_name(self, each: Try) -> str:
        """Name of the talk that shows a try: ``R41-plus``."""
        return _named(self.heard_in or self.id, each)

    def try_name(self, each: Try) -> str:
        """Name of a try of this rule, wherever it is heard."""
        return _named(self.id, each)

    def case(self) -> Case:
        """It as a check of a cell."""
        return Case(
            id=self.id,
            level=self.level,
            says=self.says,
            cite=self.cite,
            judge=self.judge,
            evidence=tuple(self.talk_name(each) for each in self.tries),
            app=self.app,
        )

    def judge(self, evidence: Evidence) -> Verdict:
        """Keep or break it. What the standard leaves open can only differ."""
        faults: list[str] = []
        figures: list[str] = []
        for each in self.tries:
            name = self.talk_name(each)
            transcript = evidence.transcripts.get(name)
            if transcript is None:
                return Outcome.ERROR, f"{name} was not had out"
            unreached = _unreached(transcript)
            if unreached:
                return Outcome.ERROR, f"{name}: {unreached}"
            said = each.accept.fault(transcript)
            if any(line.what == "gone" for line in transcript.events):
                said = said or "the server ended over it"
            if said:
                faults.append(_told(self.try_name(each), each, transcript, said))
            elif figure := each.figure(transcript):
                figures.append(figure)
        if not faults:
            return Outcome.PASS, "; ".join(figures)
        broken = Outcome.DIFFER if self.level is Level.MAY else Outcome.FAIL
        return broken, "\n".join(faults)


def _named(rule: str, each: Try) -> str:
    return f"{rule}-{each.name}" if each.name else rule


def _unreached(transcript: Transcript) -> str:
    """Why the server was never heard at all: then nothing is known of the rule."""
    said = {x.data for x in transcript.events if x.what == "error" and x.data[:8] == b"connect:"}
    # Where others got in, one who did not is what the rule may be about.
    if said and all(line.data in said for line in transcript.events):
        return f"no connection to the server ({min(said).decode()})"
    return ""


def _told(name: str, each: Try, transcript: Transcript, said: str) -> str:
    """The rule's failure on the wire: what was sent, what is accepted, what came."""
    wire = []
    connections = list(dict.fromkeys(line.on for line in transcript.events))
    for on in connections[:MOST_SHOWN]:
        where = "" if on == "a" else f" ({on})"
        wire.append(
            f"  sent{where} {shown(transcript.sent(on))}\n"
            f"  got{where} {shown(transcript.received(on))}, then the connection: "
            f"{transcript.end(on)}"
        )
    if len(connections) > MOST_SHOWN:
        wire.append(f"  {len(connections) - MOST_SHOWN} more connections are in the evidence")
    return "\n".join([f"{name}: {said}", f"  accepted: {each.accept.says}", *wire])


# What is accepted, in the words that rules need again and again.


CLIENT_ERRORS = range(400, 500)
ERRORS = range(400, 600)


def _words(status: Sequence[int]) -> str:
    named = {tuple(CLIENT_ERRORS): "a 4xx", tuple(ERRORS): "an error (4xx, 5xx)"}
    return named.get(tuple(status)) or " or ".join(map(str, status))


def answer(
    *status: int,
    method: str = "GET",
    closed: bool | None = None,
    check: Callable[[Heard], str] | None = None,
    says: str = "",
    on: str = "a",
    awaited: bool = False,
) -> Accept:
    """One whole answer, and nothing behind it.

    ``status``: any of these, or any at all; ``closed``: whether the connection has to be closed
    after it (the talk has to wait for that); ``check``: tells what else is wrong with it, which
    ``says`` puts into words; ``awaited``: what is behind the answer counts only if the talk has
    waited for the end.
    """

    def fault(transcript: Transcript) -> str:
        hearing = hear(transcript, [method], on)
        if not hearing.answers:
            return f"no answer: {hearing.broken or hearing.end}"
        found = hearing.answers[0]
        if status and found.status not in status:
            return f"status {found.status}"
        # Where nobody waited for more, what had come with the answer is chance.
        if hearing.rest and (not awaited or hearing.end != "open" or transcript.timed_out()):
            return f"{len(hearing.rest)} octets behind the answer"
        if closed is not None and hearing.closed is not closed:
            return f"the connection after the answer: {hearing.end}"
        return check(found) if check else ""

    words = _words(status) or "an answer"
    words += f" {says}" if says else ""
    words += {True: ", and the connection is closed", False: ", and it stays open", None: ""}[
        closed
    ]
    return Accept(words, fault)


def refused(*status: int, method: str = "GET", on: str = "a") -> Accept:
    """A 4xx or 5xx (or one of ``status``) and a closed connection: nothing behind is read."""
    return answer(*(status or ERRORS), method=method, closed=True, on=on)


def silence(on: str = "a") -> Accept:
    """The connection is closed without a word."""

    def fault(transcript: Transcript) -> str:
        if transcript.received(on):
            return "an answer came"
        return "" if transcript.end(on) != "open" else "the connection stayed open"

    return Accept("the connection is closed without an answer", fault)


def either(*accepts: Accept) -> Accept:
    """Any of these."""

    def fault(transcript: Transcript) -> str:
        said = [each.fault(transcript) for each in accepts]
        return "" if "" in said else said[0]

    return Accept(", or ".join(each.says for each in accepts), fault)


def all_of(*accepts: Accept) -> Accept:
    """All of these."""

    def fault(transcript: Transcript) -> str:
        return next((said for each in accepts if (said := each.fault(transcript))), "")

    return Accept("; ".join(each.says for each in accepts), fault)


def whole(methods: Iterable[str], check: Callable[[tuple[Heard, ...]], str], says: str) -> Accept:
    """As many whole answers on one connection as ``methods``; ``check`` judges them together."""
    wanted = tuple(methods)

    def fault(transcript: Transcript) -> str:
        hearing = hear(transcript, wanted)
        if len(hearing.answers) < len(wanted):
            return (
                f"{len(hearing.answers)} of {len(wanted)} answers ({hearing.broken or hearing.end})"
            )
        if hearing.rest:
            return f"{len(hearing.rest)} octets behind the last answer"
        return check(hearing.answers)

    return Accept(says, fault)
