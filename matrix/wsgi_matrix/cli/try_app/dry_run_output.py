"""The output of ``try --dry-run``: cells, requests as they will be sent, and notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wsgi_matrix.engines.api import Engine
from wsgi_matrix.http.response import visible
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.http_session import Ask
from wsgi_matrix.probe.agent.session import PLACE, octets
from wsgi_matrix.suites.api import Suite

SHOWN = 2000
"""Number of octets of a request's content to show."""


def render(cells: Sequence[Cell], engine: Engine, suite: Suite) -> str:
    """The plan as text."""
    asks = [ask for session in suite.sessions for ask in session.asks]
    lines = [f"{len(cells)} cells in {engine.where}; dry run, nothing was started"]
    for cell in cells:
        reason = engine.skip_reason(cell)
        burst = f", then {cell.limits.clients} concurrent clients" if suite.burst else ""
        planned = f"skip: {reason}" if reason else f"{len(asks)} requests{burst}"
        lines.append(f"{cell.id} {planned}")
    for number, session in enumerate(suite.sessions, 1):
        lines += ["", f"session {number}, sequential requests, with its own cookies:"]
        for ask in session.asks:
            lines += _request(ask)
    return "\n".join([*lines, "", *suite.notes]) + "\n"


def _request(ask: Ask) -> Iterator[str]:
    yield f"== {ask.name}" + (f" ({ask.source})" if ask.source else "")
    raw = octets(ask.method, ask.target, ask.host, list(ask.fields), ask.body)
    head, _, content = raw.partition(b"\r\n\r\n")
    for line in head.decode("utf-8", "replace").split("\r\n"):
        filled = line.startswith("Content-Length:") and PLACE.search(content.decode("latin-1"))
        yield "  Content-Length: depends on the values" if filled else f"  {visible(line)}"
    if content:
        yield "  "
        for line in content[:SHOWN].decode("utf-8", "backslashreplace").split("\n"):
            yield f"  {visible(line)}"
    if len(content) > SHOWN:
        yield f"  … {len(content) - SHOWN} more octets"
    for each in ask.captures:
        yield f"  {{{{{each.name}}}}} is set from {each.kind}:{each.where} of the response"
