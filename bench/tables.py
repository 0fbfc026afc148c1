"""The figures as rows of text, for the terminal and for the documentation alike."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from bench.bars import APPS, TRAFFIC, Verdict, behind
from bench.catalogue import SCENARIO, is_peer
from bench.figures import Figure, Spread
from bench.model import IN_PROCESS, ONEGATE
from bench.results import Results

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
    "cpu × best peer",
    "note",
)
MEMORY_HEAD = ("server", "app", "worker own", "worker RSS", "worker PSS", "all PSS", "processes")
BAR_HEAD = ("what", "limit", "value (min–max)", "against", "reached")
OVERVIEW_HEAD = ("server", *(f"{app} cpu" for app in APPS), *(f"{app} req/s ×" for app in APPS), "")
HEADLINE_HEAD = (
    "application",
    "connections",
    "onegate",
    "cheapest peer",
    "processor time × its",
    "fastest peer",
    "requests/s × its",
)
LIMIT = 0.95  # of its core: a load that busy may be what limits the requests/s


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


def microseconds(spread: Spread | None) -> str:
    """``34 µs``, with a digit behind the point where it is needed."""
    if spread is None:
        return "–"
    return f"{spread.median:.0f} µs" if spread.median >= 10 else f"{spread.median:.1f} µs"


def mebibytes(octets: int) -> str:
    """Octets as MiB."""
    return f"{octets / (1 << 20):.1f} MiB"


def note(figure: Figure) -> str:
    """Why a figure does not count, or what is to be known about it."""
    idle = SCENARIO[figure.scenario].idle if figure.server != IN_PROCESS else 0
    if figure.valid:
        kept = figure.idle_kept.min if figure.idle_kept else 0
        if figure.load_busy and figure.load_busy.median >= LIMIT:
            return "requests/s limited by the load"
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
        microseconds(figure.cpu_us),
        "–" if in_process else ratio(figure.cpu_to_onegate),
        "–" if in_process else ratio(figure.cpu_to_best_peer),
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


def bar_row(verdict: Verdict) -> tuple[str, ...]:
    """One bar."""
    bar, reached = verdict.bar, {True: "yes", False: "**no**", None: "not measured"}
    said = reached[verdict.reached]
    if verdict.value is not None and verdict.rounds < bar.rounds:
        said = f"{verdict.rounds} of {bar.rounds} rounds"
    limit = f"{'≥' if bar.at_least else '≤'} {bar.limit:g} × {bar.against}"
    return (bar.name, limit, ratio(verdict.value), verdict.against, said)


def by_part(verdicts: Iterable[Verdict]) -> list[tuple[str, list[tuple[str, ...]]]]:
    """A title and its rows for each part of the bars, in the order of their first."""
    parts: dict[str, list[tuple[str, ...]]] = {}
    for each in verdicts:
        parts.setdefault(each.bar.part, []).append(bar_row(each))
    return list(parts.items())


def tally(verdicts: Iterable[Verdict]) -> str:
    """How many bars are reached."""
    found = [each.reached for each in verdicts]
    return (
        f"{found.count(True)} of {len(found)} bars are reached, {found.count(False)} are not,"
        f" {found.count(None)} were not measured"
    )


def overview(figures: Iterable[Figure]) -> list[tuple[str, list[tuple[str, ...]]]]:
    """For each load of several apps, every server: processor time for a request of each app, and
    requests/s as a multiple of onegate's. A figure that does not count is left out.
    """
    found = {(each.scenario, each.server, each.app): each for each in figures}
    result = []
    for scenario in dict.fromkeys(scenario for scenario, _, _ in found):
        if len(SCENARIO[scenario].apps) < 2 or SCENARIO[scenario].fixed_rate:
            continue
        rows = []
        for server in dict.fromkeys(name for load, name, _ in found if load == scenario):
            mine = [found.get((scenario, server, app)) for app in APPS]
            counted = [each if each and each.valid else None for each in mine]
            if not any(counted):
                continue
            costs = [microseconds(each.cpu_us if each else None) for each in counted]
            shares = [
                f"{each.to_onegate.median:.2f}" if each and each.to_onegate else "–"
                for each in counted
            ]
            in_process = server == IN_PROCESS
            name = "no server" if in_process else server
            rows.append((name, *costs, *(["–"] * len(APPS) if in_process else shares), ""))
        order = {name: number for number, name in enumerate(["no server", "nginx", ONEGATE])}
        rows.sort(key=lambda row: (order.get(row[0], len(order)), _number(row[2], row[1])))
        result.append((SCENARIO[scenario].title, rows))
    return result


def _number(*cells: str) -> float:
    """The number of the first cell that has one."""
    for cell in cells:
        if cell != "–":
            return float(cell.split(" ")[0])
    return float("inf")


def headline(results: Results) -> list[tuple[str, ...]]:
    """What the traffic costs with onegate, and beside the best peer."""
    figures = {(each.scenario, each.app, each.server): each for each in results.figures()}
    rows: list[tuple[str, ...]] = []
    for scenario in TRAFFIC:
        for app in APPS:
            part = [each for key, each in figures.items() if key[:2] == (scenario, app)]
            mine = figures.get((scenario, app, ONEGATE))
            peers = [each for each in part if is_peer(each.server) and each.valid]
            if mine is None or not mine.valid or not peers:
                continue
            cheapest = min(peers, key=lambda each: _median(each.cpu_to_onegate))
            fastest = max(peers, key=lambda each: _median(each.to_onegate))
            connections = "one per request" if SCENARIO[scenario].close else "kept alive"
            rows.append(
                (
                    "raw WSGI" if app == "raw" else app.title(),
                    connections,
                    microseconds(mine.cpu_us),
                    f"{cheapest.server} {microseconds(cheapest.cpu_us)}",
                    ratio(mine.cpu_to_best_peer),
                    fastest.server,
                    ratio(mine.to_best_peer),
                )
            )
    return rows


def _median(spread: Spread | None) -> float:
    return spread.median if spread else 0.0


def absent(results: Results) -> list[str]:
    """Servers that took no part in all loads of an app or in some, each with the reason."""
    lines = []
    for each in results.trials:
        if each.reason:
            lines.append(f"{each.server}, {each.app}: {each.reason}")
        for scenario, reason in each.wrong.items():
            lines.append(f"{each.server}, {each.app}, {SCENARIO[scenario].title}: {reason}")
    return lines


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
