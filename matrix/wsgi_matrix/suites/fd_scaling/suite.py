"""The suite ``fd_scaling``: a server's cost must not grow with its limit on descriptors.

Each profile's cell is compared with the cell of the same server whose profile sets no ``nofile``:
seconds until the first response, and anonymous memory after the burst.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from wsgi_matrix.model import outcome_semantics
from wsgi_matrix.model.axes import App
from wsgi_matrix.model.results import CaseResult, CellResult, Level, Outcome
from wsgi_matrix.suites import cell_checks
from wsgi_matrix.suites.api import Layout, Suite, SuiteType
from wsgi_matrix.suites.case import HELLO, REQUESTS
from wsgi_matrix.suites.hello.checks import BURST, RESPONSE

NAME = "fd_scaling"
SECONDS_MORE, SECONDS_TIMES = 5.0, 3.0
"""Tolerance for a start in seconds and as a factor. A server that iterates over all descriptors
takes minutes at 2^30; this is for a busy host."""
MEMORY_MORE, MEMORY_TIMES = 8 * 2**20, 1.25
"""Tolerance in octets and as a share: pages that one burst touches and another does not."""
SAYS = {
    "boot": "the first response is as fast as without nofile",
    "memory": "as much memory as without nofile",
}


def suite() -> Suite:
    """The suite."""
    return Suite(
        name=NAME,
        requests={HELLO: REQUESTS[HELLO]},
        cases=(cell_checks.LIMITS, RESPONSE, BURST, cell_checks.UNCHANGED, cell_checks.CLEAN_EXIT),
        compare=compare,
        burst=True,
        repeat=1,
    )


def first_answer(result: CellResult) -> float | None:
    """Seconds from the start of the server to its first complete response."""
    hello = result.exchanges.get(HELLO)
    if result.ready_seconds is None or hello is None or hello.error:
        return None
    return result.ready_seconds + hello.seconds


def compare(results: Sequence[CellResult]) -> tuple[CellResult, ...]:
    """``results`` with two more checks each, and updated outcomes."""
    references = {
        (result.cell.server.name, result.cell.python.version): result
        for result in results
        if result.cell.limits.nofile is None
    }
    return tuple(
        _with(result, references.get((result.cell.server.name, result.cell.python.version)))
        for result in results
    )


def _with(result: CellResult, reference: CellResult | None) -> CellResult:
    checks = (
        *result.checks,
        _check("boot", *_boot(result, reference)),
        _check("memory", *_memory(result, reference)),
    )
    return replace(result, checks=checks, outcome=outcome_semantics.overall(checks))


def _check(name: str, outcome: Outcome, detail: str) -> CaseResult:
    return CaseResult(
        id=name,
        level=Level.MUST,
        outcome=outcome,
        detail=detail,
        says=SAYS[name],
        evidence=(HELLO,) if name == "boot" else (),
    )


def _boot(result: CellResult, reference: CellResult | None) -> tuple[Outcome, str]:
    got = first_answer(result)
    if got is None:
        return Outcome.SKIP, outcome_semantics.NOT_JUDGED
    wanted = first_answer(reference) if reference else None
    if reference is result or wanted is None:
        return _unjudged(result, reference, f"{got:.2f} s")
    text = f"{got:.2f} s, without nofile {wanted:.2f} s"
    grown = got > wanted + SECONDS_MORE and got > wanted * SECONDS_TIMES
    return (Outcome.FAIL if grown else Outcome.PASS), text


def _memory(result: CellResult, reference: CellResult | None) -> tuple[Outcome, str]:
    got, wanted = result.memory, reference.memory if reference else None
    if got is None:
        return Outcome.SKIP, outcome_semantics.NOT_JUDGED
    if reference is result or wanted is None:
        return _unjudged(result, reference, _mib(got))
    text = f"{_mib(got)}, without nofile {_mib(wanted)}"
    return (Outcome.FAIL if got > wanted * MEMORY_TIMES + MEMORY_MORE else Outcome.PASS), text


def _unjudged(result: CellResult, reference: CellResult | None, figure: str) -> tuple[Outcome, str]:
    if reference is result:
        return Outcome.PASS, f"{figure}; the reference"
    return Outcome.SKIP, f"{figure}; no cell without nofile to compare with"


def _mib(octets: int) -> str:
    return f"{octets / 2**20:.1f} MiB"


TYPE = SuiteType(
    name=NAME,
    former_name="limits",
    about="Whether a server's cost grows with its limit on descriptors.",
    title="Scaling with the descriptor limit",
    caption="Seconds to the first response, and anonymous memory after a burst of 32 clients.",
    layout=Layout.COST_BY_LIMITS,
    build=lambda _config: suite(),
    apps=(App(name=NAME, path=Path(__file__).with_name("app")),),
)
