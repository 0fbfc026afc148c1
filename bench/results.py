"""``results.json``: all samples, what was derived from them, and what it was measured with."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.bars import Verdict, behind, verdicts
from bench.catalogue import SERVER
from bench.figures import Figure, figures
from bench.model import Memory, Sample, Trial

if TYPE_CHECKING:
    from bench.rounds import Options

SCHEMA = 2  # to be raised whenever a reader of the file has to change


class ResultsError(Exception):
    """A file that cannot be read as results. The text says why."""


@dataclass(frozen=True, kw_only=True)
class Results:
    """One measurement. All reports are made from this alone."""

    date: str
    took: float
    machine: dict[str, Any]
    options: dict[str, int]
    versions: dict[str, str]
    trials: list[Trial]
    samples: list[Sample]

    def figures(self) -> list[Figure]:
        """The medians."""
        return figures(self.samples)

    def verdicts(self) -> list[Verdict]:
        """What was asked for, and whether it is reached."""
        return verdicts(self.trials, self.samples)

    def servers(self) -> list[str]:
        """The servers that were asked for, in the order of the catalogue."""
        return list(dict.fromkeys(trial.server for trial in self.trials))


def machine(*, own_network: bool) -> dict[str, Any]:
    """What it runs on."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "system": f"{platform.system()} {platform.release()}",
        "cpu": model,
        "cores": os.cpu_count() or 0,
        "load_before": os.getloadavg()[0],
        "own_network": own_network,
    }


def now() -> str:
    """The date and time, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def make(
    *,
    began: str,
    took: float,
    on: dict[str, Any],
    options: Options,
    versions: dict[str, str],
    trials: Sequence[Trial],
    samples: Sequence[Sample],
) -> Results:
    """Put a measurement together."""
    return Results(
        date=began,
        took=round(took, 1),
        machine=on,
        options=asdict(options),
        versions=versions,
        trials=list(trials),
        samples=list(samples),
    )


def as_json(results: Results) -> dict[str, Any]:
    """The document, with the derived parts for those who read it with other tools."""
    return {
        "schema": SCHEMA,
        **asdict(results),
        "servers": {name: SERVER[name].command for name in results.servers()},
        "figures": [{**asdict(each), "valid": each.valid} for each in results.figures()],
        "bars": [
            {**asdict(each), "name": each.bar.name, "reached": each.reached}
            for each in results.verdicts()
        ],
        "behind": [asdict(each) for each in behind(results.samples)],
    }


def write(results: Results, path: Path) -> None:
    """Write the file whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(as_json(results), indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def read(path: Path) -> Results:
    """Read the file. Raises :class:`ResultsError` if it is not there or of another schema."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path} cannot be read: {error}") from None
    if data.get("schema") != SCHEMA:
        raise ResultsError(f"{path} has schema {data.get('schema')}, not {SCHEMA}; measure anew")
    return from_json(data)


def from_json(data: dict[str, Any]) -> Results:
    """The inverse of :func:`as_json`; the derived parts are derived again."""
    trials = [
        Trial(**{**each, "memory": Memory(**each["memory"]) if each["memory"] else None})
        for each in data["trials"]
    ]
    return Results(
        date=data["date"],
        took=data["took"],
        machine=data["machine"],
        options=data["options"],
        versions=data["versions"],
        trials=trials,
        samples=[Sample(**each) for each in data["samples"]],
    )
