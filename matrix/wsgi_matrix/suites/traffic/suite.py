"""The suite ``traffic``: sends the user's traffic, and compares every cell with the first one.

In each cell, every request must have a complete response without a server error, and every client
of a burst of the first GET must get the same status. Across cells, responses must be those of the
reference: the first cell, with the first server, Python and limits given.
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
from wsgi_matrix.http.response import Response, split
from wsgi_matrix.model import app_import_string
from wsgi_matrix.model.http_session import Ask, Session
from wsgi_matrix.model.matrix_config import Config
from wsgi_matrix.model.outcome_semantics import NOT_JUDGED, overall, ran
from wsgi_matrix.model.results import CaseResult, CellResult, Level, Outcome
from wsgi_matrix.model.wire import Exchange
from wsgi_matrix.probe.agent.session import PLACE, octets
from wsgi_matrix.suites import api, cell_checks, cell_restriction_hints
from wsgi_matrix.suites.case import Case, Evidence, Verdict
from wsgi_matrix.suites.traffic import ignore
from wsgi_matrix.suites.traffic.settings import TrafficSettings, of
from wsgi_matrix.traffic import http_file, load, variables
from wsgi_matrix.traffic.variables import Given

NAME = "traffic"
SAME = ":same"
"""Suffix of the ids of comparisons."""
BURST = "burst"
TOO_LARGE = "response of more than"
MORE = "--largest allows up to 64MiB; remove requests for larger or endless responses"
LOG_LINES = 12
"""Maximum number of log lines shown with a request."""
SHOWN = 300
"""Maximum octets of a server error's content to show."""
GZIP = 16 + zlib.MAX_WBITS
"""zlib's window bits for the gzip format."""
LARGEST_DECODED = 64 * 2**20
"""Maximum octets of decoded content."""
NO_ITERABLE = re.compile(r"TypeError: '(?!NoneType')\w+' object is not iterable")
"""What servers log for a factory whose application they take for a response."""
NOT_OURS = ("joined", "page")
"""Rules that only apply to the contract's comparison."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The criteria for responses."""

    ignores: tuple[ignore.Ignore, ...] = ()
    allowed: frozenset[int] = frozenset()
    """5xx statuses that are allowed."""

    def is_fault(self, status: int) -> bool:
        """Whether a status is a server error that is not allowed."""
        return status >= 500 and status not in self.allowed

    def normal(self, ask: Ask, exchange: Exchange) -> Normal:
        """The normalised response, without ignored values."""
        return normal(self.answer(ask, exchange), ask.method)

    def answer(self, ask: Ask, exchange: Exchange) -> Response:
        """The response with decoded content, without ignored values."""
        found = split(exchange.response, ask.method.encode())
        return ignore.apply(decoded(found), self.ignores)


def decoded(answer: Response) -> Response:
    """``answer`` with ``gzip`` content decoded, because its header contains a time."""
    codings = [value.lower() for value in answer.values(b"content-encoding")]
    if codings != [b"gzip"] or not answer.body:
        return answer
    try:
        body = zlib.decompressobj(GZIP).decompress(answer.body, LARGEST_DECODED)
    except zlib.error:
        return answer  # compared as it is
    return replace(answer, body=body)


def of_config(config: Config) -> api.Suite:
    """The suite, from the table ``[suites.traffic]``. Raises :class:`UserError`."""
    settings = of(config)
    if not settings.send:
        raise ConfigError(f"{config.file}: suites.{NAME}.send: no traffic is set")
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
    """The criteria in ``settings``. Raises :class:`UserError`."""
    for status in settings.allow_status:
        if not (status.isdigit() and 500 <= int(status) <= 599):
            raise UserError(f'--allow-status: expected a server error such as 503, not "{status}"')
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
    except_for = f" except {', '.join(map(str, sorted(by.allowed)))}" if by.allowed else ""
    cases = [*cell_checks.ALWAYS]
    cases += [
        Case(
            id=ask.name,
            says=f"{ask.title} has a complete response, and no server error{except_for}",
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
        says = f"every client of a burst of {burst.title} has the status of a single request"
        judge_it = partial(judge_burst, by)
        cases.append(Case(id=BURST, says=says, judge=judge_it, evidence=(BURST,)))
    notes = [note for session in sessions for note in session.notes]
    rules = ", ".join(rule.id for rule in RULES if rule.id not in NOT_OURS)
    notes.append(f"normalised before comparison: {rules}, content-coding (see docs/try.md)")
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
        # It may need the environment of its cell to be imported.
        baseline=False,
        patience=settings.patience,
        notes=tuple(notes),
    )


def _needs(ask: Ask, known: Set[str]) -> bool:
    """Whether a request depends on an earlier response."""
    texts = (ask.target, *(value for _, value in ask.fields))
    return any(place in known for text in texts for place in PLACE.findall(text))


def judge(ask: Ask, by: Judgement, evidence: Evidence) -> Verdict:
    """Whether there is a complete response and no server error."""
    [exchange] = evidence.exchanges.get(ask.name, (None,))
    if exchange is None:
        return Outcome.ERROR, "it was not sent"
    if exchange.error.startswith(TOO_LARGE):
        return Outcome.FAIL, f"{ask.title}: {exchange.error}; {MORE}"
    if exchange.error:
        log = _logged(exchange.logged, by, evidence)
        return Outcome.FAIL, f"{ask.title}: {exchange.error}{log}"
    status = _status(exchange.response)
    if by.is_fault(status):
        answer = split(exchange.response, ask.method.encode())
        said = f"{ask.title}: server error: {answer.status_line.decode('latin-1')}; "
        log = _logged(exchange.logged, by, evidence)
        return Outcome.FAIL, f"{said}{_shown(answer.body)}{log}"
    if ask.recorded not in (None, status):
        return Outcome.PASS, f"{ask.title}: recorded {ask.recorded}, here {status}"
    return Outcome.PASS, f"{ask.title}: {status}"


def judge_burst(by: Judgement, evidence: Evidence) -> Verdict:
    """Every concurrent client has a complete response, with the status of a single request.

    The single request was sent after the sessions, like the burst. It is a failure if all have the
    same server error.
    """
    burst, [alone] = evidence.burst, evidence.exchanges[BURST]
    if alone.error:
        return Outcome.FAIL, f"single request: {alone.error}{_logged(alone.logged, by, evidence)}"
    status = _status(alone.response)
    counted: Counter[int] = Counter()
    for raw, count in burst.responses.items():
        counted[_status(raw)] += count
    counts = [f"{count} × {each}" for each, count in sorted(counted.items())]
    counts += [f"{count} × {error}" for error, count in sorted(burst.errors.items())]
    seen = f"{burst.clients} clients, {burst.together} concurrent, {burst.seconds:.2f} s"
    said = f"single request {status}, then {', '.join(counts)} ({seen})"
    if burst.errors or counted.keys() != {status}:
        return Outcome.FAIL, said + _logged(burst.logged, by, evidence)
    if by.is_fault(status):
        return Outcome.FAIL, f"{said}: server errors{_logged(burst.logged, by, evidence)}"
    return Outcome.PASS, said


def _status(response: bytes) -> int:
    return int(split(response).status_line.split(maxsplit=2)[1])


def _logged(text: str, by: Judgement, evidence: Evidence) -> str:
    """What the server logged meanwhile, to be appended to a finding."""
    lines = text.splitlines()[-LOG_LINES:]
    if not lines:
        return ""
    hint = _not_called(text, by, evidence) or cell_restriction_hints.advice(text)
    parts = ["", "server log meanwhile:", *lines, *([f"what to do: {hint}"] if hint else [])]
    return "\n".join(parts)


def _not_called(text: str, by: Judgement, evidence: Evidence) -> str:
    """Advice if the app is a factory that is not called, and so never responds."""
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
    """``results`` with one more check for each request: the response is the reference's."""
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
                says=f"{ask.title} has the same response as in "
                f"{reference.cell.id if reference else 'the first cell'}",
                evidence=(ask.name,),
                against=reference.cell.id if reference else "",
            )
        )
    checks = (*result.checks, *added)
    return replace(result, checks=checks, outcome=overall(checks))


def verdict(ask: Ask, result: CellResult, reference: CellResult | None, by: Judgement) -> Verdict:
    """Whether ``result`` has the response of ``reference``, after normalisation."""
    here, there = result.exchanges.get(ask.name), None
    if reference is not None:
        there = reference.exchanges.get(ask.name)
    if here is None or here.error:
        return Outcome.SKIP, NOT_JUDGED
    if reference is None or there is None or there.error:
        return Outcome.SKIP, "the reference has no complete response here"
    found = difference(by.normal(ask, there), by.normal(ask, here))
    if not found:
        return Outcome.PASS, ""
    sides = found.sides(reference.cell.id, result.cell.id)
    return Outcome.DIFFER, f"{ask.title}: {sides}"


def _shown(raw: bytes) -> str:
    return repr(raw[:SHOWN]) + (f"… ({len(raw)} octets)" if len(raw) > SHOWN else "")


TYPE = api.SuiteType(
    name=NAME,
    about="Your own traffic for your own app, compared with the first cell.",
    title="Your own traffic",
    caption="Checks of all requests by outcome, compared with the first cell.",
    build=of_config,
    settings=TrafficSettings,
    reads=_files,
    optional=True,
    private_tmp=True,
)
