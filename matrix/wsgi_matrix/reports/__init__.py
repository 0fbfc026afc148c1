"""Reports: each a pure function of the same :class:`~wsgi_matrix.model.results.Run`."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from wsgi_matrix.engines.registry import has_images
from wsgi_matrix.model import outcome_semantics
from wsgi_matrix.model.outcome_semantics import NOT_JUDGED, ORDER, counts
from wsgi_matrix.model.results import Outcome, Run
from wsgi_matrix.suites.registry import types


def summary(run: Run) -> str:
    """``24 cells: 23 pass, 1 fail``: the line that all reports share."""
    parts = ", ".join(f"{count} {outcome}" for outcome, count in counts(run).items())
    text = f"{len(run.cells)} cell{'' if len(run.cells) == 1 else 's'}: {parts or 'none ran'}"
    if reused := sum(bool(result.reused) for result in run.cells):
        text += f" ({reused} reused from an earlier run)"
    return f"PARTIAL ({run.partial.value}): {text}" if run.partial else text


def tallies(run: Run) -> list[tuple[tuple[str, ...], list[tuple[str, ...]]]]:
    """Tables of the number of checks by outcome and server, for suites with many checks per cell.

    A kind is the part of a check's id after the colon; checks without one are about the cell alone,
    and are counted by suite.
    """
    found: defaultdict[tuple[str, str], Counter[Outcome]] = defaultdict(Counter)
    for result in run.cells:
        suite = types().get(result.cell.suite)
        if suite is not None and not suite.tallied:
            continue
        for check in result.checks:
            kind = check.id.partition(":")[2] or result.cell.suite
            found[result.cell.server.name, kind][check.outcome] += 1
    if not found:
        return []
    kinds = dict.fromkeys(kind for _, kind in found)
    servers = dict.fromkeys(server for server, _ in found)
    rows = [
        (server, *(_counted(found.get((server, kind), Counter())) for kind in kinds))
        for server in servers
    ]
    return [(("server", *kinds), rows)]


def _counted(outcomes: Counter[Outcome]) -> str:
    return ", ".join(f"{outcomes[each]} {each.value}" for each in ORDER if outcomes[each])


def not_checked(run: Run) -> dict[tuple[str, str], int]:
    """Checks that were skipped in cells that ran, by id and reason, and in how many cells."""
    found = Counter(
        (check.id, check.detail)
        for result in run.cells
        for check in result.checks
        if not outcome_semantics.ran(check.outcome) and check.detail != NOT_JUDGED
    )
    return dict(found)


@dataclass(frozen=True)
class Ran:
    """What ran: images for containers; the server's source and a Python for processes."""

    titles: tuple[str, str]
    rows: tuple[tuple[str, str, str], ...]
    """Server and Python, and a value for each title."""

    def lines(self) -> list[str]:
        """``onegate py311: image sha256:…, server layer sha256:…``."""
        return [
            f"{whose}: {self.titles[0]} {one}, {self.titles[1]} {two}"
            for whose, one, two in self.rows
        ]


def ran(run: Run) -> Ran:
    """What ran in the cells of ``run``."""
    images = has_images(run.engine)
    rows = {
        (
            f"{r.cell.server.name} {r.cell.python.tag}",
            short(r.image.id),
            short(r.image.server_layer) if images else r.image.base.removeprefix("process: "),
        ): None
        for r in run.cells
        if r.image
    }
    titles = ("image", "server layer") if images else ("server source", "run by")
    return Ran(titles, tuple(rows))


def short(digest: str) -> str:
    """A shortened digest, long enough to be unique in practice."""
    return digest[:19]


def timing(run: Run) -> str:
    """The phases in one line, followed by the measurements of the run, if there are any."""
    text = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in run.phases.items())
    text = f"{text}; {run.seconds:.1f} s in total" if text else f"{run.seconds:.1f} s in total"
    cell, container = run.measured.get("cell"), run.measured.get("container")
    engine = run.measured.get("engine")
    if cell and engine is not None:
        text += f". Of the median cell, {engine:.2f} s were the engine's ({engine / cell:.0%})"
    if cell is not None and container:
        imported = run.measured.get("import", 0.0)
        bound = 3 * container + imported
        text += (
            f". Median cell {cell:.2f} s; one empty container {container:.2f} s, the app's import "
            f"{imported:.2f} s: {cell / bound:.0%} of the bound (3 containers and the import)"
        )
    return text
