"""The suite ``traffic``: what people bring is sent, and every cell is held to the first one.

In each cell, every request has to have a whole answer that is no server error, and every client of
a burst with the first GET one of the same status. Across cells, the answers have to be those of
the reference: the first cell, that is the first server, Python and limits that were named.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from wsgi_matrix.errors import ConfigError, UserError
from wsgi_matrix.http.normalise import RULES, Normal, difference, normal
from wsgi_matrix.http.response import Answer, split
from wsgi_matrix.model import app_import_string
from wsgi_matrix.model.http_session import Ask, Session
from wsgi_matrix.model.matrix_config import Config
from wsgi_matrix.model.outcomes import NOT_JUDGED, overall, ran
from wsgi_matrix.model.results import CaseResult, CellResult, Level, Outcome
from wsgi_matrix.model.wire import Exchange
from wsgi_matrix.probe.agent.session import PLACE, octets
from wsgi_matrix.suites import api, cell_checks
from wsgi_matrix.suites.case import Case, Evidence, Verdict
from wsgi_matrix.suites.traffic import error_hints, ignore
from wsgi_matrix.suites.traffic.settings import TrafficSettings, of
from wsgi_matrix.traffic import http_file, load, variables
from wsgi_matrix.traffic.variables import Given

NAME = "traffic"
SAME = ":same"
"""What the ids of the comparisons end with."""
BURST = "burst"
TOO_LARGE = "answer of more than"
MORE = "--largest takes up to 64MiB; leave out of the traffic what is larger or never ends"
LOG_LINES = 12
"""Lines of those that a server wrote during a request that are shown with it."""
SHOWN = 300
"""Octets of a server error's content that are shown."""
GZIP = 16 + zlib.MAX_WBITS
"""The window of zlib that means gzip's format."""
LARGEST_DECODED = 64 * 2**20
"""Octets of decoded content that are compared."""
NO_ITERABLE = re.compile(r"TypeError: '(?!NoneType')\w+' object is not iterable")
"""What servers say of an application, made by a factory, where they expect a response."""
NOT_OURS = ("joined", "page")
"""Rules of the contract's comparison alone."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """By what answers are judged."""

    ignores: tuple[ignore.Ignore, ...] = ()
    allowed: frozenset[int] = frozenset()
    """Statuses from 500 that are no fault."""

    def is_fault(self, status: int) -> bool:
        """Whether a status is a server error that nobody allowed."""
        return status >= 500 and status not in self.allowed

    def normal(self, ask: Ask, exchange: Exchange) -> Normal:
        """The answer after all that is left out."""
        return normal(self.answer(ask, exchange), ask.method)

    def answer(self, ask: Ask, exchange: Exchange) -> Answer:
        """The answer, its content decoded, after what people left out."""
        found = split(exchange.response, ask.method.encode())
        return ignore.apply(decoded(found), self.ignores)


def decoded(answer: Answer) -> Answer:
    """``answer`` with content in the coding ``gzip`` decoded: its head says when it was made."""
    codings = [value.lower() for value in answer.values(b"content-encoding")]
    if codings != [b"gzip"] or not answer.body:
        return answer
    try:
        body = zlib.decompressobj(GZIP).decompress(answer.body, LARGEST_DECODED)
    except zlib.error:
        return answer  # then it is compared as what it is
    return replace(answer, body=body)


def of_config(config: Config) -> api.Suite:
    """The suite, from the table ``[suites.traffic]``. Raises :class:`UserError`."""
    settings = of(config)
    if not settings.send:
        raise ConfigError(f"{config.file}: suites.{NAME}.send names no traffic")
    try:
        captures = tuple(http_file.capture(each) for each in settings.capture)
    except ValueError as problem:
        raise UserError(f"capture: {problem}") from None
    to_all = load.ForAll(
        captures=captures,
        host=settings.host,
        headers=settings.header,
        given=Given(var=variables.parse(settings.var), http_env=settings.http_env),
    )
    sessions = load.load(settings.send, root=config.file.parent, to_all=to_all)
    return make(sessions, settings)


def _files(config: Config) -> tuple[Path, ...]:
    """The files of the table ``[suites.traffic]``."""
    return load.files(of(config).send, config.file.parent)


def judgement(settings: TrafficSettings) -> Judgement:
    """By what the settings say that answers are judged. Raises :class:`UserError`."""
    for status in settings.allow_status:
        if not (status.isdigit() and 500 <= int(status) <= 599):
            raise UserError(f'--allow-status: a server error such as 503, not "{status}"')
    return Judgement(
        ignores=tuple(ignore.parse(each) for each in settings.ignore),
        allowed=frozenset(int(status) for status in settings.allow_status),
    )


def make(sessions: Sequence[Session], settings: TrafficSettings) -> api.Suite:
    """The suite that sends ``sessions``."""
    by = judgement(settings)
    asks = [ask for session in sessions for ask in session.asks]
    known = {capture.name for ask in asks for capture in ask.captures}
    burst = next((ask for ask in asks if ask.method == "GET" and not _needs(ask, known)), None)
    meant = f" but {', '.join(map(str, sorted(by.allowed)))}" if by.allowed else ""
    cases = [*cell_checks.ALWAYS]
    cases += [
        Case(
            id=ask.name,
            says=f"{ask.title} has a whole answer, and no server error{meant}",
            judge=partial(judge, ask, by),
            evidence=(ask.name,),
            request=ask.title,
            recorded=ask.recorded,
        )
        for ask in asks
    ]
    requests = {}
    if burst is not None:
        body = burst.body
        requests[BURST] = octets(burst.method, burst.target, burst.host, list(burst.fields), body)
        says = f"every client of a burst of {burst.title} has the status of a lone one"
        judge_it = partial(judge_burst, by)
        cases.append(Case(id=BURST, says=says, judge=judge_it, evidence=(BURST,)))
    notes = [note for session in sessions for note in session.notes]
    rules = ", ".join(rule.id for rule in RULES if rule.id not in NOT_OURS)
    notes.append(f"compared after the rules {rules}, content-coding (docs/try.md says which)")
    notes += [f"ignored: {each}" for each in by.ignores]
    return api.Suite(
        name=NAME,
        requests=requests,
        sessions=tuple(sessions),
        largest=settings.largest,
        cases=tuple(cases),
        compare=partial(compare, asks=asks, by=by),
        repeat=1,
        burst=burst is not None,
        # It may need what is around it in a cell, and cannot be imported without.
        baseline=False,
        patience=settings.patience,
        notes=tuple(notes),
    )


def _needs(ask: Ask, known: Set[str]) -> bool:
    """Whether a request cannot be sent without an answer before it."""
    texts = (ask.target, *(value for _, value in ask.fields))
    return any(place in known for text in texts for place in PLACE.findall(text))


def judge(ask: Ask, by: Judgement, evidence: Evidence) -> Verdict:
    """Whether there is a whole answer and no server error."""
    [exchange] = evidence.exchanges.get(ask.name, (None,))
    if exchange is None:
        return Outcome.ERROR, "it was not sent"
    if exchange.error.startswith(TOO_LARGE):
        return Outcome.FAIL, f"{ask.title}: {exchange.error}; {MORE}"
    if exchange.error:
        told = _logged(exchange.logged, by, evidence)
        return Outcome.FAIL, f"{ask.title}: {exchange.error}{told}"
    status = _status(exchange.response)
    if by.is_fault(status):
        answer = split(exchange.response, ask.method.encode())
        said = f"{ask.title}: server error: {answer.status_line.decode('latin-1')}; "
        told = _logged(exchange.logged, by, evidence)
        return Outcome.FAIL, f"{said}{_shown(answer.body)}{told}"
    if ask.recorded not in (None, status):
        return Outcome.PASS, f"{ask.title}: recorded {ask.recorded}, here {status}"
    return Outcome.PASS, f"{ask.title}: {status}"


def judge_burst(by: Judgement, evidence: Evidence) -> Verdict:
    """Every client that was connected at once has a whole response, of a lone one's status.

    The lone one was sent after the sessions, as the burst was. That all of them are the same server
    error is no success.
    """
    burst, [alone] = evidence.burst, evidence.exchanges[BURST]
    if alone.error:
        return Outcome.FAIL, f"sent alone: {alone.error}{_logged(alone.logged, by, evidence)}"
    status = _status(alone.response)
    counted: Counter[int] = Counter()
    for raw, count in burst.answers.items():
        counted[_status(raw)] += count
    told = [f"{count} × {each}" for each, count in sorted(counted.items())]
    told += [f"{count} × {error}" for error, count in sorted(burst.errors.items())]
    seen = f"{burst.clients} clients, {burst.together} connected at once, {burst.seconds:.2f} s"
    said = f"alone {status}, then {', '.join(told)} ({seen})"
    if burst.errors or counted.keys() != {status}:
        return Outcome.FAIL, said + _logged(burst.logged, by, evidence)
    if by.is_fault(status):
        return Outcome.FAIL, f"{said}: server errors{_logged(burst.logged, by, evidence)}"
    return Outcome.PASS, said


def _status(response: bytes) -> int:
    return int(split(response).status_line.split(maxsplit=2)[1])


def _logged(text: str, by: Judgement, evidence: Evidence) -> str:
    """What the server wrote meanwhile, to stand behind what was found."""
    lines = text.splitlines()[-LOG_LINES:]
    if not lines:
        return ""
    hint = _not_called(text, by, evidence) or error_hints.advice(text)
    told = ["", "written on its log meanwhile:", *lines, *([f"what to do: {hint}"] if hint else [])]
    return "\n".join(told)


def _not_called(text: str, by: Judgement, evidence: Evidence) -> str:
    """What to write where the app is a factory that nobody calls: it never gives a response."""
    app = evidence.cell.app.target
    found = [each for exchanges in evidence.exchanges.values() for each in exchanges]
    name = re.escape(re.split(r"[:.]", app)[-1])
    two = rf"TypeError: ([\w.]+\.)?{name}\(\) takes .* but 2 were given"
    if app_import_string.is_factory(app) or not (NO_ITERABLE.search(text) or re.search(two, text)):
        return ""
    if any(not each.error and not by.is_fault(_status(each.response)) for each in found):
        return ""
    return app_import_string.not_called(app)


def compare(
    results: Sequence[CellResult], *, asks: Sequence[Ask], by: Judgement
) -> tuple[CellResult, ...]:
    """``results`` with a check for each request appended: the answer is the reference's."""
    reference = next((each for each in results if ran(each.outcome)), None)
    return tuple(
        result if result is reference else _with(result, reference, asks, by) for result in results
    )


def _with(
    result: CellResult, reference: CellResult | None, asks: Sequence[Ask], by: Judgement
) -> CellResult:
    added = []
    for ask in asks:
        outcome, detail = verdict(ask, result, reference, by)
        added.append(
            CaseResult(
                id=ask.name + SAME,
                level=Level.MAY,
                outcome=outcome,
                detail=detail,
                says=f"{ask.title} is answered as in "
                f"{reference.cell.id if reference else 'the first cell'}",
                evidence=(ask.name,),
                against=reference.cell.id if reference else "",
            )
        )
    checks = (*result.checks, *added)
    return replace(result, checks=checks, outcome=overall(checks))


def verdict(ask: Ask, result: CellResult, reference: CellResult | None, by: Judgement) -> Verdict:
    """Whether ``result`` answered as ``reference`` did, after what is left out."""
    here, there = result.exchanges.get(ask.name), None
    if reference is not None:
        there = reference.exchanges.get(ask.name)
    if here is None or here.error:
        return Outcome.SKIP, NOT_JUDGED
    if reference is None or there is None or there.error:
        return Outcome.SKIP, "the reference has no whole answer here"
    found = difference(by.normal(ask, there), by.normal(ask, here))
    if not found:
        return Outcome.PASS, ""
    sides = found.sides(reference.cell.id, result.cell.id)
    return Outcome.DIFFER, f"{ask.title}: {sides}"


def _shown(raw: bytes) -> str:
    return repr(raw[:SHOWN]) + (f"… ({len(raw)} octets)" if len(raw) > SHOWN else "")


TYPE = api.SuiteType(
    name=NAME,
    about="What was brought along for an app of one's own.",
    title="Traffic of one's own",
    caption="Checks of all requests, compared with the first cell, by their outcome.",
    build=of_config,
    settings=TrafficSettings,
    reads=_files,
    optional=True,
    private_tmp=True,
)
