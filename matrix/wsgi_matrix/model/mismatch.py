"""What was expected of a server and what was observed, in one form and one layout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from wsgi_matrix.util.schema_types import doc

ENDS = {"open": "the connection stayed open", "fin": "then FIN", "reset": "then RST"}


@dataclass(frozen=True, kw_only=True)
class ConnectionExcerpt:
    """An excerpt of what was on the wire of one connection."""

    name: Annotated[str, doc("The connection's name in the evidence.")]
    sent: Annotated[
        str,
        doc("What was sent, as a Python literal such as b'GET /', shortened; empty: nothing."),
    ]
    received: Annotated[str, doc("What was received, in the same form.")]
    end: Annotated[str, doc("How it ended: open, fin or reset.")]
    """As in :meth:`wsgi_matrix.model.wire.Transcript.end`."""


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """One variant of a case whose result was not the expected one."""

    expected: Annotated[str, doc("What would have been accepted, in words.")]
    actual: Annotated[str, doc("What was observed instead.")]
    variant: Annotated[str, doc("Its name; empty if the case has only one variant.")] = ""
    sends: Annotated[str, doc("What it sends, in words.")] = ""
    connections: Annotated[
        tuple[ConnectionExcerpt, ...], doc("What was on the wire of each connection.")
    ] = ()
    more_connections: Annotated[
        int, doc("Number of connections that are left out of connections.")
    ] = 0


def summary(mismatches: Sequence[Mismatch]) -> str:
    """What was observed, in one line: ``plus: status 200; minus: status 200``."""
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
        yield f"  and {mismatch.more_connections} more connections; see the evidence"
