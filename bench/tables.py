"""The figures as rows of text, for the terminal and for the documentation alike."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from bench.catalogue import SCENARIO
from bench.figures import Figure, Spread
from bench.model import IN_PROCESS
from bench.results import Results
from bench.targets import Target, behind

HEAD = (
    "server",
    "requests/s",
    "× onegate",
    "× best peer",
    "of ceiling",
    "p50",
    "p99",
    "cpu",
    "cpu × onegate",
    "note",
)
MEMORY_HEAD = ("server", "app", "worker own", "worker RSS", "worker PSS", "all PSS", "processes")
TARGET_HEAD = ("target", "limit", "value (min–max)", "against", "reached")


def ratio(spread: Spread | None) -> str:
    """``1.23 (1.20–1.31)``."""
    if spread is None:
        return "–"
    return f"{spread.median:.2f} ({spread.min:.2f}–{spread.max:.2f})"


def percent(spread: Spread | None) -> str:
    """``45 %``, with a digit behind the point where it is needed."""
    if spread is None:
        return "–"
    share = spread.median * 100
    return f"{share:.0f} %" if share >= 10 else f"{share:.1f} %"


def whole(spread: Spread | None) -> str:
    """``12345 (12001–12890)``."""
    return "–" if spread is None else f"{spread.median:.0f} ({spread.min:.0f}–{spread.max:.0f})"


def latency(spread: Spread | None) -> str:
    """Microseconds as milliseconds."""
    return "–" if spread is None or not spread.median else f"{spread.median / 1000:.2f} ms"


def mebibytes(octets: int) -> str:
    """Octets as MiB."""
    return f"{octets / (1 << 20):.1f} MiB"


def note(figure: Figure) -> str:
    """Why a figure does not count, or what is to be known about it."""
    idle = SCENARIO[figure.scenario].idle if figure.server != IN_PROCESS else 0
    if figure.valid:
        kept = figure.idle_kept.min if figure.idle_kept else 0
        return f"{kept:.0f} stayed open" if kept < idle else ""
    what = ", ".join(
        f"{count} × {kind}" if count > 1 else kind for kind, count in figure.problems.items()
    )
    return f"invalid: {what or 'no answer'}"


def figure_row(figure: Figure) -> tuple[str, ...]:
    """One server under one load."""
    in_process = figure.server == IN_PROCESS
    return (
        "no server" if in_process else figure.server,
        whole(figure.rps),
        "–" if in_process else ratio(figure.to_onegate),
        "–" if in_process else ratio(figure.to_best_peer),
        percent(figure.to_ceiling),
        latency(figure.p50_us),
        latency(figure.p99_us),
        f"{figure.cpu_us.median:.0f} µs" if figure.cpu_us else "–",
        "–" if in_process else ratio(figure.cpu_to_onegate),
        note(figure),
    )


def by_load(figures: Iterable[Figure]) -> list[tuple[str, list[tuple[str, ...]]]]:
    """A title and its rows for each app and scenario."""
    return [
        (f"{app}, {SCENARIO[scenario].title}", [figure_row(each) for each in part])
        for (app, scenario), part in groupby(figures, key=lambda each: (each.app, each.scenario))
    ]


def memory_rows(results: Results) -> list[tuple[str, ...]]:
    """What the worker and all processes of a server hold after load."""
    return [
        (
            trial.server,
            trial.app,
            mebibytes(trial.memory.worker_anonymous),
            mebibytes(trial.memory.worker_rss),
            mebibytes(trial.memory.worker_pss),
            mebibytes(trial.memory.tree_pss),
            str(trial.memory.processes),
        )
        for trial in results.trials
        if trial.memory
    ]


def target_row(target: Target) -> tuple[str, ...]:
    """One demand of the issue."""
    reached = {True: "yes", False: "**no**", None: "not measured"}[target.reached]
    limit = f"{'≥' if target.at_least else '≤'} {target.limit:.1f}"
    return (f"({target.id}) {target.text}", limit, ratio(target.value), target.against, reached)


def absent(results: Results) -> list[str]:
    """Servers that took no part, each with the reason."""
    return [f"{each.server}, {each.app}: {each.reason}" for each in results.trials if each.reason]


def not_first(results: Results) -> list[str]:
    """Where a peer answers more, and by how much."""
    return [
        f"{each.app}, {SCENARIO[each.scenario].title}: {each.first} is first; onegate serves"
        f" {ratio(each.rps)} × as many and uses {ratio(each.cpu)} × the processor time per request"
        for each in behind(results.samples)
    ]


def text_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Columns of equal width, the first aligned to the left."""
    lines = [head, *rows]
    last = len(head) - 1
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, last) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def markdown_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table of Markdown, numbers aligned to the right."""
    rule = ["---", *["---:"] * (len(head) - 2), "---"]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, tuple(rule), *rows))
