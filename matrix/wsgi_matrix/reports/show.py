"""The evidence of one cell: its checks, the octets on the wire, and the server's log."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping

from wsgi_matrix.engines.registry import has_images
from wsgi_matrix.errors import UserError, suggestion
from wsgi_matrix.http.response import visible
from wsgi_matrix.model.results import CaseResult
from wsgi_matrix.results import codec
from wsgi_matrix.results.results_reader import Value


def render(cell: Value, check: str = "", others: Mapping[str, Value] | None = None) -> str:
    """The evidence of a cell in a results.json; with ``check`` (id or alias), of that check only.

    The evidence of a comparison is followed by that of the reference, if it is in ``others``, cells
    by id. Raises :class:`UserError` for an unknown check.
    """
    checks = {each["alias"]: each for each in cell["checks"] if each["alias"]}
    checks |= {each["id"]: each for each in cell["checks"]}
    if check and check not in checks:
        raise UserError(f'{cell["id"]} has no check "{check}"{suggestion(check, checks)}')
    lines = [*_head(cell), ""]
    for each in [checks[check]] if check else cell["checks"]:
        lines += _check(each)
    against = (others or {}).get(checks[check]["against"]) if check else None
    for name in checks[check]["evidence"] if check else cell["evidence"]:
        title = f"{name} in {cell['id']}" if against else name
        lines += ["", f"== {title}", *_transcript(cell["evidence"].get(name, []))]
        if against:
            there = against["evidence"].get(name, [])
            lines += ["", f"== {name} in {against['id']}, the reference", *_transcript(there)]
    if cell["log"]:
        lines += ["", "== end of the server's log", *map(visible, cell["log"].splitlines())]
    return "\n".join(lines) + "\n"


def _head(cell: Value) -> Iterator[str]:
    yield f"{cell['id']}: {cell['outcome']}, {cell['seconds']:.2f} s"
    limits, observed = cell["limits"], cell["limits_observed"] or {}
    read = [
        f"{name} {limits[name] or '-'} ({observed.get(name) or '-'})"
        for name in ("nofile", "nproc", "memory")
    ]
    yield f"limits {limits['name']}, requested (read back): {', '.join(read)}"
    if load := cell["load"]:
        waited = load["waited"]
        wanting = (
            "" if waited is None else f"; processes waited for a core {waited:.0%} of the time"
        )
        yield f"host meanwhile: load {load['average']:g} on {load['cores']} cores{wanting}"
    if cell["framework_version"]:
        yield f"{cell['app']}: framework version {cell['framework_version']}"
    if cell["image"]:
        what = "image" if has_images(cell["engine"]) else "server source"
        yield f"{what} {cell['image']['id']} on {cell['image']['base'].removeprefix('process: ')}"
    if cell["reused"]:
        yield f"reused from the run started {cell['reused']}"


def _check(value: Value) -> Iterator[str]:
    check = codec.convert(value, CaseResult)
    title = f": {check.title}" if check.title else ""
    yield f"{check.outcome:6} {check.level:6} {check.name}{title}"
    if check.cite or check.says:
        yield f"       {': '.join(filter(None, (check.cite, check.says)))}"
    for line in check.explanation().splitlines():
        yield f"       {visible(line)}"


def _transcript(lines: list[Value]) -> Iterator[str]:
    if not lines:
        yield "(nothing was on the wire)"
    for line in lines:
        data = base64.b64decode(line["data"])
        mark = {"sent": ">", "received": "<"}.get(line["what"], "*")
        head = f"{line['at']:8.4f} {line['on']} {mark} "
        if mark == "*":
            yield f"{head}{line['what']} {visible(data.decode('utf-8', 'replace'))}".rstrip()
            continue
        for part in re.findall(rb"[^\n]*\n|[^\n]+", data):
            yield head + visible(part.decode("latin-1"))
        if left := line["octets"] - len(data):
            yield f"{head}… {left} more octets, which were not saved"
