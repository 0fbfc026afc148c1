"""What a run costs as it grows: ``python -m bench.cells``, for docs/results/cost.md.

Makes a matrix of as many cells as asked for (onegate under other names × profiles of limits, one
app, one Python), runs ``wsgi-matrix run`` on it as a user would, and measures that process and what
its reports take. Everything goes to ``build/bench/cells``, beside what was measured before;
``--write`` writes the docs.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from wsgi_matrix.reports.registry import reports
from wsgi_matrix.results import results_reader

from bench.growth import draw, table
from docs.generate import blocks, versions

TOP = Path(__file__).resolve().parent.parent
FOLDER = TOP / "build" / "bench" / "cells"
DOCS = TOP / "docs" / "results"
ROWS = 10
"""Servers of a synthetic matrix; its columns are the profiles of limits."""

SERVER = """
[servers.s{number}]
context = "{top}"
dockerfile = "Dockerfile"
args = ["{{app}}", "--chdir", "{{folder}}", "--bind", "127.0.0.1:{{port}}", "--workers", "1"]
process = ["{{python}}", "-m", "onegate"]
process_path = ["{top}/server"]
"""
REST = """
[apps.wsgi]
path = "{top}/apps/wsgiapp"

[pythons."3.11"]
images = ["python:3.11-slim"]
debian = "bookworm"
"""


@dataclass(frozen=True, kw_only=True)
class Report:
    """One form of report of one run: ``octets`` and the seconds that it takes to make it."""

    octets: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Growth:
    """One run of a synthetic matrix. ``rss``: the peak of wsgi-matrix, in octets."""

    engine: str
    version: str
    cells: int
    seconds: float
    phases: dict[str, float]
    engine_share: float
    rss: int
    reports: dict[str, Report]


def matrix_of(cells: int) -> str:
    """A ``matrix.toml`` with that many cells, a multiple of ``ROWS``."""
    top = TOP.as_posix()
    servers = [SERVER.format(number=number, top=top) for number in range(ROWS)]
    limits = [f"\n[limits.l{n}]\nnofile = {256 + n}\nclients = 4\n" for n in range(cells // ROWS)]
    return "".join([*servers, REST.format(top=top), *limits])


def measure(cells: int, engine: str) -> Growth:
    """Run a matrix of ``cells``. Raises ``RuntimeError`` if any of them is not as expected."""
    folder = FOLDER / f"{engine}-{cells}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "matrix.toml").write_text(matrix_of(cells), encoding="utf-8")
    # The caches of bundles stay, as they do for a user; results of earlier runs do not.
    shutil.rmtree(folder / "build" / "matrix", ignore_errors=True)
    command = [sys.executable, "-m", "wsgi_matrix", "--config", str(folder / "matrix.toml")]
    with (folder / "out").open("wb") as output, (folder / "err").open("wb") as errors:
        began = time.monotonic()
        process = subprocess.Popen(
            [*command, "run", "--engine", engine], stdout=output, stderr=errors, cwd=folder
        )
        # wait4 and not wait: it alone tells what the process itself used.
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{folder}/out: the run ended with exit status {process.returncode}")
    value = results_reader.read(results_reader.path(folder / "build"))
    ran = [cell for cell in value["cells"] if cell["seconds"]]
    return Growth(
        engine=engine,
        version=value["run"]["engine_version"],
        cells=len(ran),
        seconds=seconds,
        phases=value["run"]["phases"],
        engine_share=sum(x["engine_seconds"] for x in ran) / sum(x["seconds"] for x in ran),
        rss=used.ru_maxrss * 1024,
        reports={each.file: _rendered(each.render, value) for each in reports()},
    )


def _rendered(render: Callable[[dict[str, Any]], str], value: dict[str, Any]) -> Report:
    began = time.monotonic()
    text = render(value)
    return Report(octets=len(text.encode()), seconds=time.monotonic() - began)


def middle(runs: list[Growth]) -> Growth:
    """The run whose wall time is the median of ``runs``."""
    wanted = statistics.median_low(run.seconds for run in runs)
    return next(run for run in runs if run.seconds == wanted)


def _merged(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """``new``, and of ``old`` what was not measured again."""
    again = {(run["engine"], run["cells"]) for run in new}
    kept = [run for run in old if (run["engine"], run["cells"]) not in again]
    return sorted(kept + new, key=lambda run: (run["engine"], run["cells"]))


@click.command()
@click.argument("cells", nargs=-1, type=click.IntRange(ROWS), default=(10, 100, 1000))
@click.option("--engine", "engines", multiple=True, default=("process", "docker"))
@click.option("--repeat", default=3, show_default=True, help="Runs of each but the largest.")
@click.option("--write", is_flag=True, help="Write docs/results/cost.md and cost.svg.")
def main(cells: tuple[int, ...], engines: tuple[str, ...], repeat: int, write: bool) -> None:
    """Measure runs of so many CELLS on each engine; the median run of each is told."""
    found = []
    for engine in engines:
        for count in cells:
            times = 1 if count == max(cells) and len(cells) > 1 else repeat
            runs = []
            for _ in range(times):
                runs.append(measure(count, engine))
                click.echo(f"{engine} {count}: {runs[-1].seconds:.1f} s", err=True)
            found.append(asdict(middle(runs)) | {"runs": times})
    result = {
        "date": datetime.now(UTC).date().isoformat(),
        "version": versions.matrix(),
        "machine": f"{len(os.sched_getaffinity(0))} cores, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}",
        "load": os.getloadavg()[2],
        "runs": found,
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / "cells.json"
    if file.exists():  # one engine may be measured after the other
        result["runs"] = _merged(json.loads(file.read_text("utf-8"))["runs"], found)
    file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    click.echo(table(result))
    if write:
        (DOCS / "cost.svg").write_text(draw(result), encoding="utf-8")
        page = DOCS / "cost.md"
        page.write_text(blocks.fill(page.read_text("utf-8"), "cells", table(result)), "utf-8")


if __name__ == "__main__":
    main()
