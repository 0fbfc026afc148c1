"""Rules: a requirement in the words of its standard, and variants that show whether it is met.

A rule reads like a case of h2spec: its id and its title say what it is about, followed by the
sentence of the standard, what is sent and what is expected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from wsgi_matrix.model.mismatch import ConnectionExcerpt, Mismatch
from wsgi_matrix.model.results import Level, Outcome
from wsgi_matrix.model.wire import Scenario, Step, Transcript
from wsgi_matrix.suites.case import Case, Evidence, Mismatched, Verdict
from wsgi_matrix.suites.conformance.matchers import Matcher

MOST_SHOWN = 6
"""Maximum number of connections to show with a mismatch."""
SHOWN = 400
"""Maximum octets per direction of a connection to show with a mismatch."""
OWN = "wsgi-matrix"
"""The citation of a rule that is not from a standard; its sentence is wsgi-matrix's own."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to test a rule."""

    name: str = ""
    """The variant's name; empty if the rule has only one."""
    sends: str
    """What is sent, and what the app does if the rule is about that; in words."""
    steps: tuple[Step, ...]
    expects: Matcher
    figure: Callable[[Transcript], str] = lambda _transcript: ""
    """A measurement for the report of a rule that is met."""
    alone: bool = False
    """Whether it must run alone in its cell, because it may end or block the server."""


@dataclass(frozen=True, kw_only=True)
class Unobservable:
    """A rule that cannot be observed from outside, and why."""

    id: str
    alias: str
    level: Level
    cite: str
    title: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A requirement; the result of each of its variants must be the expected one."""

    id: str
    """``section/what-it-is``: ``chunked/size-not-hex``."""
    alias: str = ""
    """Its name before there were ids, such as R50; tables, findings and ``[[xfail]]`` accept
    either. New rules have none."""
    level: Level
    cite: str
    """The source of the sentence: ``RFC 9112 section 7.1``, or :data:`OWN`."""
    title: str
    """About five words."""
    text: str
    """The sentence of the standard, word for word; ``…`` marks an omission."""
    variants: tuple[Variant, ...]
    app: str = ""
    """Name of the app that it is for; empty: any app of its suite."""
    judged_on: str = ""
    """Id of the rule whose scenarios it uses too; empty: it has its own."""

    def scenarios(self) -> tuple[Scenario, ...]:
        """The scenarios to run for it."""
        if self.judged_on:
            return ()
        return tuple(
            Scenario(
                name=self.scenario_name(each), steps=each.steps, alone=each.alone, app=self.app
            )
            for each in self.variants
        )

    def scenario_name(self, variant: Variant) -> str:
        """The name of a variant's scenario: ``chunked/size-not-hex/plus``."""
        return _named(self.judged_on or self.id, variant)

    def variant_name(self, variant: Variant) -> str:
        """The name of a variant for this rule, even if its scenario belongs to another rule."""
        return _named(self.id, variant)

    def case(self) -> Case:
        """The rule as a check of a cell."""
        return Case(
            id=self.id,
            alias=self.alias,
            level=self.level,
            title=self.title,
            says=self.text,
            cite=self.cite,
            judge=self.judge,
            evidence=tuple(map(self.scenario_name, self.variants)),
            app=self.app,
        )

    def judge(self, evidence: Evidence) -> Verdict | Mismatched:
        """Whether it is met. A MAY that is not met is only a difference."""
        mismatches: list[Mismatch] = []
        figures: list[str] = []
        for each in self.variants:
            name = self.scenario_name(each)
            transcript = evidence.transcripts.get(name)
            if transcript is None:
                return Outcome.ERROR, f"{name} was not run"
            if unreached := _unreached(transcript):
                return Outcome.ERROR, f"{name}: {unreached}"
            if mismatch := _mismatch(each, transcript):
                mismatches.append(mismatch)
            elif figure := each.figure(transcript):
                figures.append(figure)
        if not mismatches:
            return Outcome.PASS, "; ".join(figures)
        broken = Outcome.DIFFER if self.level is Level.MAY else Outcome.FAIL
        return broken, tuple(mismatches)


def _named(rule: str, variant: Variant) -> str:
    return f"{rule}/{variant.name}" if variant.name else rule


def _unreached(transcript: Transcript) -> str:
    """Why no connection to the server was possible, so that nothing is known about the rule."""
    found = {x.data for x in transcript.events if x.what == "error" and x.data[:8] == b"connect:"}
    # If some connected, the rule may be about one that did not.
    if found and all(event.data in found for event in transcript.events):
        return f"no connection to the server ({min(found).decode()})"
    return ""


def _mismatch(variant: Variant, transcript: Transcript) -> Mismatch | None:
    found = variant.expects.mismatch(transcript)
    if found is None and any(event.what == "gone" for event in transcript.events):
        found = Mismatch(
            expected=f"{variant.expects.description}; and the server continues to run",
            actual="the server exited",
        )
    if found is None:
        return None
    names = list(dict.fromkeys(event.on for event in transcript.events))
    return replace(
        found,
        variant=variant.name,
        sends=variant.sends,
        connections=tuple(
            ConnectionExcerpt(
                name=name,
                sent=shown(transcript.sent(name)),
                received=shown(transcript.received(name)),
                end=transcript.end(name),
            )
            for name in names[:MOST_SHOWN]
        ),
        more_connections=max(0, len(names) - MOST_SHOWN),
    )


def shown(data: bytes) -> str:
    """Octets as a Python literal, cut if long; empty for none."""
    if not data:
        return ""
    return repr(data[:SHOWN]) + (f"… ({len(data)} octets)" if len(data) > SHOWN else "")
