"""What was expected of a server, and what came instead, in one form and one layout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ENDS = {"open": "the connection stayed open", "fin": "then FIN", "reset": "then RST"}


@dataclass(frozen=True, kw_only=True)
class ConnectionExcerpt:
    """What was on the wire of one connection, as far as people want to read it.

    ``sent`` and ``received`` are literals of Python: ``b'GET / HTTP/1.1'``.
    """

    name: str
    sent: str
    received: str
    end: str
    """``open``, ``fin`` or ``reset``, as in :meth:`wsgi_matrix.model.wire.Transcript.end`."""


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """One variant of a case for which something else came than what is expected."""

    expected: str
    actual: str
    variant: str = ""
    """Its name; empty where the case has one variant only."""
    sends: str = ""
    """What it sends, in words."""
    connections: tuple[ConnectionExcerpt, ...] = ()
    more_connections: int = 0
    """Connections that ``connections`` leaves out."""


def summary(mismatches: Sequence[Mismatch]) -> str:
    """What came, in one line: ``plus: status 200; minus: status 200``."""
    return "; ".join(
        f"{each.variant}: {each.actual}" if each.variant else each.actual for each in mismatches
    )


def explain(detail: str, mismatches: Sequence[Mismatch]) -> str:
    """``detail`` and, below it, each mismatch."""
    return "\n".join([*([detail] if detail else []), *(x for m in mismatches for x in _lines(m))])


def _lines(mismatch: Mismatch) -> Iterator[str]:
    yield f"{mismatch.variant}: {mismatch.sends}" if mismatch.variant else mismatch.sends
    yield f"  expected  {mismatch.expected}"
    yield f"  actual    {mismatch.actual}"
    for each in mismatch.connections:
        on = "" if each.name == "a" else f" (connection {each.name})"
        yield f"  sent      {each.sent or 'nothing'}{on}"
        yield f"  received  {each.received or 'nothing'}, {ENDS[each.end]}{on}"
    if mismatch.more_connections:
        yield f"  and {mismatch.more_connections} more connections, which are in the evidence"
