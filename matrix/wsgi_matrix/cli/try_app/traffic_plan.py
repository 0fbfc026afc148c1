"""What ``try --dry-run`` shows: cells, requests as they will be sent, and what is to be known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wsgi_matrix.engines.api import Engine
from wsgi_matrix.http.response import visible
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.http_session import Ask
from wsgi_matrix.probe.agent.session import PLACE, octets
from wsgi_matrix.suites.api import Suite

SHOWN = 2000
"""Octets of a request's content that are shown."""


def render(cells: Sequence[Cell], engine: Engine, suite: Suite) -> str:
    """The plan, for people."""
    asks = [ask for session in suite.sessions for ask in session.asks]
    lines = [f"{len(cells)} cells in {engine.where}; this is a plan, nothing was started"]
    for cell in cells:
        reason = engine.skip_reason(cell)
        burst = f", then {cell.limits.clients} clients at once" if suite.burst else ""
        said = f"skip: {reason}" if reason else f"{len(asks)} requests{burst}"
        lines.append(f"{cell.id} {said}")
    for number, session in enumerate(suite.sessions, 1):
        lines += ["", f"session {number}, one request after another, with its own cookies:"]
        for ask in session.asks:
            lines += _request(ask)
    return "\n".join([*lines, "", *suite.notes]) + "\n"


def _request(ask: Ask) -> Iterator[str]:
    yield f"== {ask.name}" + (f" ({ask.source})" if ask.source else "")
    raw = octets(ask.method, ask.target, ask.host, list(ask.fields), ask.body)
    head, _, content = raw.partition(b"\r\n\r\n")
    for line in head.decode("utf-8", "replace").split("\r\n"):
        filled = line.startswith("Content-Length:") and PLACE.search(content.decode("latin-1"))
        yield "  Content-Length: as its values make it" if filled else f"  {visible(line)}"
    if content:
        yield "  "
        for line in content[:SHOWN].decode("utf-8", "backslashreplace").split("\n"):
            yield f"  {visible(line)}"
    if len(content) > SHOWN:
        yield f"  … {len(content) - SHOWN} octets more"
    for each in ask.captures:
        yield f"  {{{{{each.name}}}}} is then {each.kind}:{each.where} of the response"
