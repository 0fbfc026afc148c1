"""What changed between two runs: verdicts, responses, versions and times."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from wsgi_matrix.http.response import unlike
from wsgi_matrix.results.results_reader import Value, octets

DATE = re.compile(rb"(?im)^(date:[ \t]*)[^\r\n]*")
"""RFC 9110 section 6.6.1: the time of the response, which is not a change."""

NOTED = 1.5
"""Factor by which a cell must have become slower or faster to be listed."""
LEAST = 0.2
"""Seconds below which such a change is considered noise of the host."""


@dataclass(frozen=True)
class Changes:
    """Lines of text. Versions and times are listed, but are not a difference by themselves."""

    cells: list[str] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    responses: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    times: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.cells or self.verdicts or self.responses)


def find(before: Value, after: Value) -> Changes:
    """What is different in ``after``; both are the value of a results.json."""
    old = {cell["id"]: cell for cell in before["cells"]}
    new = {cell["id"]: cell for cell in after["cells"]}
    both = [name for name in old if name in new]
    found = Changes()
    found.cells.extend(f"- {name}: removed" for name in old if name not in new)
    found.cells.extend(
        f"+ {name}: added, {new[name]['outcome']}" for name in new if name not in old
    )
    found.versions.extend(_versions_of_run(before["run"], after["run"]))
    versions: Counter[str] = Counter()
    for name in both:
        found.verdicts.extend(_verdicts(name, old[name], new[name]))
        found.responses.extend(_responses(name, old[name], new[name]))
        versions.update(_versions_of_cell(old[name], new[name]))
    found.versions.extend(f"{line} (in {count} cells)" for line, count in versions.items())
    if both:
        was, now = (median(cells[name]["seconds"] for name in both) for cells in (old, new))
        found.times.append(f"median of the {len(both)} cells in both: {was:.2f} s → {now:.2f} s")
    for name in both:
        found.times.extend(_time(name, old[name]["seconds"], new[name]["seconds"]))
    return found


def render(changes: Changes) -> str:
    """The changes as text."""
    parts = []
    for title, lines in (
        ("cells", changes.cells),
        ("verdicts", changes.verdicts),
        ("responses", changes.responses),
        ("versions", changes.versions),
        ("times", changes.times),
    ):
        parts.append(f"{title}:" if lines else f"{title}: no change")
        parts.extend(f"  {line}" for line in lines)
    return "\n".join(parts) + "\n"


def _versions_of_run(old: Value, new: Value) -> Iterator[str]:
    for key in ("tool_version", "engine", "engine_version", "kernel"):
        if old[key] != new[key]:
            yield f"{key.replace('_', ' ')}: {old[key]} → {new[key]}"


def _versions_of_cell(old: Value, new: Value) -> Iterator[str]:
    was, now = old["image"] or {}, new["image"] or {}
    for what, a, b in (
        (f"framework of {new['app']}", old["framework_version"], new["framework_version"]),
        (f"server {new['server']}", was.get("server_layer", ""), now.get("server_layer", "")),
        (f"base of Python {new['python']}", was.get("base", ""), now.get("base", "")),
    ):
        if a != b:
            yield f"{what}: {a[:19] or 'none'} → {b[:19] or 'none'}"


def _verdicts(name: str, old: Value, new: Value) -> Iterator[str]:
    # By the alias, which is the id in results from before there were aliases.
    before, after = (
        {each["alias"] or each["id"]: each for each in side["checks"]} for side in (old, new)
    )
    for check in dict.fromkeys((*before, *after)):
        was, now = (
            side[check]["outcome"] if check in side else "absent" for side in (before, after)
        )
        if was != now:
            found = after.get(check) or before[check]
            detail = found["detail"].partition("\n")[0] if check in after else ""
            yield f"{name} {found['id']}: {was} → {now}" + (f": {detail}" if detail else "")


def _responses(name: str, old: Value, new: Value) -> Iterator[str]:
    for exchange in dict.fromkeys((*old["evidence"], *new["evidence"])):
        was, now = (cell["evidence"].get(exchange) for cell in (old, new))
        if was is None or now is None:
            yield f"{name} {exchange}: on the wire {'only now' if was is None else 'no longer'}"
            continue
        for on in dict.fromkeys(line["on"] for line in (*was, *now)):
            a, b = (DATE.sub(rb"\1*", octets(side, on, "received")) for side in (was, now))
            if a != b:
                found = unlike(a, b)
                assert found is not None
                yield f"{name} {exchange}: line {found.line}: {found.there} → {found.here}"


def _time(name: str, old: float, new: float) -> Iterator[str]:
    low, high = sorted((old, new))
    if high - low > LEAST and high > NOTED * low:
        yield f"{name}: {old:.2f} s → {new:.2f} s"
