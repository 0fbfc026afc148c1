"""What is shown: the terminal's text, and ``docs/results/benchmark.md`` with its picture."""

from __future__ import annotations

from pathlib import Path

from bench import picture, tables
from bench.catalogue import SERVER
from bench.results import Results
from docs.generate import blocks

PICTURE = "![requests/s as a share of the ceiling, p99 latency, memory](benchmark.svg)"


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
    for title, rows in tables.by_load(results.figures()):
        parts += [title, tables.text_table(tables.HEAD, rows), ""]
    parts += [
        "memory after load",
        tables.text_table(tables.MEMORY_HEAD, tables.memory_rows(results)),
    ]
    parts += ["", "targets"]
    rows = [tables.target_row(each) for each in results.targets()]
    parts += [tables.text_table(tables.TARGET_HEAD, rows).replace("**", ""), ""]
    if absent := tables.absent(results):
        parts += ["took no part", *(f"  {line}" for line in absent), ""]
    first = tables.not_first(results) or ["nowhere"]
    parts += ["where onegate is not first in requests/s", *(f"  {line}" for line in first)]
    return "\n".join(parts)


def markdown(results: Results) -> str:
    """The generated part of ``docs/results/benchmark.md``."""
    parts = [origin(results) + ".", disturbance(results), PICTURE, "## Targets"]
    rows = [tables.target_row(each) for each in results.targets()]
    parts += [tables.markdown_table(tables.TARGET_HEAD, rows)]
    parts += ["## Where onegate is not first in requests/s"]
    lines = tables.not_first(results)
    parts += ["\n".join(f"- {line}" for line in lines) if lines else "Nowhere in this measurement."]
    parts += ["## Figures"]
    for title, rows in tables.by_load(results.figures()):
        parts += [f"### {title}", tables.markdown_table(tables.HEAD, rows)]
    parts += ["### Memory after load"]
    parts += [tables.markdown_table(tables.MEMORY_HEAD, tables.memory_rows(results))]
    if absent := tables.absent(results):
        parts += ["### Took no part", "\n".join(f"- {line}" for line in absent)]
    parts += ["## Versions and commands", server_table(results)]
    frameworks = [
        f"{n} {results.versions[n]}"
        for n in ("flask", "pyramid", "django")
        if n in results.versions
    ]
    parts += [f"Frameworks: {', '.join(frameworks)}."] if frameworks else []
    return "\n\n".join(parts) + "\n"


def server_table(results: Results) -> str:
    """How each server was started."""
    head = ("server", "version", "command", "remark")
    rows = []
    for name in results.servers():
        server = SERVER[name]
        version = results.versions.get(server.product, "–")
        rows.append((name, version, f"`{server.command}`", server.why))
    return tables.markdown_table(head, rows).replace("---:", "---")


def write_docs(results: Results, folder: Path) -> None:
    """Fill ``benchmark.md`` between its marks, and draw ``benchmark.svg``.

    Raises :class:`ReportError` if there is no ``<!-- bench -->`` … ``<!-- /bench -->`` to fill.
    """
    page = folder / "benchmark.md"
    try:
        filled = blocks.fill(page.read_text(encoding="utf-8"), "bench", markdown(results))
    except (OSError, blocks.BlockError) as problem:
        raise ReportError(f"{page}: {problem}") from None
    page.write_text(filled, encoding="utf-8")
    (folder / "benchmark.svg").write_text(picture.draw(results), encoding="utf-8")
