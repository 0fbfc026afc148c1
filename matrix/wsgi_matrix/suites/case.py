"""The checks of a cell. A case has a requirement and a function that evaluates evidence, no I/O.

:data:`REQUESTS` is what the probe sends; each suite has its own checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.mismatch import Mismatch
from wsgi_matrix.model.results import Level, Observed, Outcome, Stopped
from wsgi_matrix.model.wire import NO_BURST, Burst, Exchange, Transcript

Verdict = tuple[Outcome, str]
"""Outcome and detail: what was required and what was observed."""
Mismatched = tuple[Outcome, tuple[Mismatch, ...]]
"""Outcome, and for each variant that failed what was expected and what was observed."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All observations of one cell. ``exchanges``: repetitions, by the name of the request."""

    cell: Cell
    framework_version: str
    observed: Observed
    exchanges: Mapping[str, tuple[Exchange, ...]] = field(default_factory=dict)
    transcripts: Mapping[str, Transcript] = field(default_factory=dict)
    """By the name of the scenario."""
    burst: Burst = NO_BURST
    ready_seconds: float = 0.0
    """See :class:`wsgi_matrix.model.results.CellResult`."""
    zombies: int | None = None
    """Number of zombies; ``None``: the server itself had exited."""
    stopped: Stopped


@dataclass(frozen=True, kw_only=True)
class Case:
    """One requirement. ``says`` is the requirement in words, for reports and documentation."""

    id: str
    alias: str = ""
    """Another name that ``show`` and ``[[xfail]]`` accept; empty: none."""
    level: Level = Level.MUST
    title: str = ""
    """About five words; empty if ``says`` is short itself."""
    says: str
    judge: Callable[[Evidence], Verdict | Mismatched]
    cite: str = ""
    """The source of the requirement; empty for wsgi-matrix's own."""
    evidence: tuple[str, ...] = ()
    """Names of the requests and scenarios that it is based on."""
    app: str = ""
    """Name of the app that it is about; empty: any app of its suite."""
    request: str = ""
    """``GET /login``: the request whose response it is about; empty: none. Reports show its status.
    """
    recorded: int | None = None
    """The status recorded for it in the traffic."""


HELLO = "hello"
FRAMEWORK = "framework"

REQUESTS: dict[str, bytes] = {
    HELLO: b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n",
    FRAMEWORK: b"GET /framework HTTP/1.1\r\nHost: localhost\r\n\r\n",
}
"""What the probe sends, by name. Each client of the burst sends the first."""
