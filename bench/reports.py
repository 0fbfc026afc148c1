"""What is shown: the terminal's text, and what is made of it in ``docs/results/`` and README.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench import picture, tables
from bench.catalogue import SERVER
from bench.results import Results
from docs.generate import blocks

PICTURE = "![requests/s as a share of the ceiling, p99 latency, memory](benchmark.svg)"
PAGE, README = "docs/results/benchmark.md", "README.md"
FURTHER = f"[All figures]({PAGE}), how they are measured, and where onegate is not first."
PLACES = {PAGE: ("headline", "bench"), README: ("headline",)}
"""The pages that have figures, and the blocks of :mod:`docs.generate.blocks` that they fill."""


class ReportError(Exception):
    """The documentation has no place for the figures. The text says what it lacks."""


def origin(results: Results) -> str:
    """When, where and how it was measured, in one paragraph."""
    options, on = results.options, results.machine
    return (
        f"{results.date}, {on['cpu']}, {on['cores']} cores, {on['system']}, "
        f"Python {results.versions['python']}, wrk {results.versions['wrk']}; "
        f"{options['rounds']} rounds of {options['seconds']} s with {options['connections']} "
        f"connections, the server on core {options['server_core']} and the load on core "
        f"{options['load_core']}; load of the machine before: {on['load_before']:.1f}; "
        f"{results.took / 60:.0f} minutes"
    )


def disturbance(results: Results) -> str:
    """How much of the server's core others had meanwhile."""
    shares = sorted(each.others for each in results.samples if each.others)
    if not shares:
        return "Nobody else used the server's core."
    middle, worst = shares[len(shares) // 2], shares[-1]
    return (
        f"Other processes used {middle:.0%} of the server's core in the median slice,"
        f" {worst:.0%} in the worst; part of that is the kernel's own work for the load."
    )


def console(results: Results) -> str:
    """All of it as text."""
    parts = [origin(results), disturbance(results), ""]
    figures = results.figures()
    for title, rows in tables.by_load(figures):
        parts += [title, tables.text_table(tables.HEAD, rows), ""]
    parts += [
        "memory after load",
        tables.text_table(tables.MEMORY_HEAD, tables.memory_rows(results)),
    ]
    parts += [""]
    if absent := tables.absent(results):
        parts += ["took no part", *(f"  {line}" for line in absent), ""]
    first = tables.not_first(results) or ["nowhere"]
    parts += ["where onegate is not first in requests/s", *(f"  {line}" for line in first), ""]
    for title, rows in tables.overview(figures):
        parts += [title, tables.text_table(tables.OVERVIEW_HEAD, rows), ""]
    verdicts = results.verdicts()
    for title, rows in tables.by_part(each for each in verdicts if each.value):
        parts += [title, tables.text_table(tables.BAR_HEAD, rows).replace("**", ""), ""]
    parts.append(tables.tally(verdicts))
    return "\n".join(parts)


def markdown(results: Results, others: Sequence[Results] = ()) -> str:
    """The generated part of the page, ``others`` being the results of other Pythons."""
    figures = results.figures()
    parts = [origin(results) + ".", disturbance(results), PICTURE]
    parts += _overview(results)
    for each in others:
        parts += [f"## Python {each.versions['python']}", headline(each), origin(each) + "."]
        parts += [disturbance(each), *_overview(each)]
        parts += _absent(each)
    parts += ["## Where onegate is not first in requests/s"]
    lines = tables.not_first(results)
    parts += ["\n".join(f"- {line}" for line in lines) if lines else "Nowhere in this measurement."]
    parts += ["## Figures"]
    for title, rows in tables.by_load(figures):
        parts += [f"### {title}", tables.markdown_table(tables.HEAD, rows)]
    parts += ["### Memory after load"]
    parts += [tables.markdown_table(tables.MEMORY_HEAD, tables.memory_rows(results))]
    parts += _absent(results)
    parts += ["## Versions and commands", server_table(results)]
    frameworks = [
        f"{n} {results.versions[n]}"
        for n in ("flask", "pyramid", "django")
        if n in results.versions
    ]
    parts += [f"Frameworks: {', '.join(frameworks)}."] if frameworks else []
    return "\n\n".join(parts) + "\n"


def _overview(results: Results) -> list[str]:
    """Every server under each load of several apps, and the bars."""
    verdicts = results.verdicts()
    parts = []
    for title, rows in tables.overview(results.figures()):
        parts += [f"### {title}", tables.markdown_table(tables.OVERVIEW_HEAD, rows)]
    parts += ["### Bars", tables.tally(verdicts) + "."]
    for title, rows in tables.by_part(verdicts):
        parts += [f"#### {title}", tables.markdown_table(tables.BAR_HEAD, rows)]
    return parts


def _absent(results: Results) -> list[str]:
    lines = "\n".join(f"- {line}" for line in tables.absent(results))
    return ["### Took no part", lines] if lines else []


def headline(results: Results) -> str:
    """The first figure: what the traffic costs beside the best peer."""
    rows = tables.headline(results)
    table = tables.markdown_table(tables.HEADLINE_HEAD, rows)
    return (
        "Processor time of the server and the application for each request, and requests/s, where"
        f" no two requests are alike; medians of {results.options['rounds']} rounds (minimum–"
        f"maximum), Python {results.versions['python']}, {results.date[:10]}:\n\n{table}"
    )


def server_table(results: Results) -> str:
    """How each server was started."""
    head = ("server", "version", "command", "remark")
    rows = []
    for name in results.servers():
        server = SERVER[name]
        version = results.versions.get(server.build or server.product, "–")
        rows.append((name, version, f"`{server.command}`", server.why))
    return tables.markdown_table(head, rows).replace("---:", "---")


def write_docs(results: Results, top: Path, others: Sequence[Results] = ()) -> None:
    """Fill the blocks of :data:`PLACES` below ``top``, and draw ``benchmark.svg``.

    ``others`` are measurements on other Pythons. Raises :class:`ReportError` if a page has no place
    for its figures.
    """
    first = headline(results)
    parts = {
        (PAGE, "headline"): first,
        (PAGE, "bench"): markdown(results, others),
        (README, "headline"): f"## Speed\n\n{first}\n\n{FURTHER}",
    }
    texts = {}
    for name, marks in PLACES.items():
        page = top / name
        try:
            text = page.read_text(encoding="utf-8")
            for mark in marks:
                text = blocks.fill(text, mark, parts[name, mark])
        except (OSError, blocks.BlockError) as problem:
            raise ReportError(f"{page}: {problem}") from None
        texts[page] = text
    for page, text in texts.items():
        page.write_text(text, encoding="utf-8")
    (top / PAGE).with_suffix(".svg").write_text(picture.draw(results), encoding="utf-8")
