"""Results: what the engine observed of a cell, its verdicts, and the run as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from wsgi_matrix.model.axes import DEFAULT_SUITE, Cell
from wsgi_matrix.model.mismatch import Mismatch, explain
from wsgi_matrix.model.wire import Exchange, Transcript
from wsgi_matrix.util.schema_types import doc, stated

Positive = Annotated[int, stated(minimum=1)]
Elapsed = Annotated[float, stated(minimum=0)]
"""Seconds."""
Status = Annotated[int, stated(minimum=100, maximum=999)]
Digest = Annotated[str, stated(pattern="^sha256:[0-9a-f]{64}$")]


class Outcome(StrEnum):
    """The one set of outcomes, for checks, cells and runs alike."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    DIFFER = "differ"  # not the same as the reference
    SKIP = "skip"  # not run, with a reason
    ERROR = "error"  # could not be checked
    XFAIL = "xfail"  # a known failure


class Partial(StrEnum):
    """Why a run is incomplete."""

    NO = ""
    INTERRUPTED = "interrupted"
    FIRST_RED = "stopped at the first red cell"
    ENGINE = "the engine went away"


class Level(StrEnum):
    """How binding a check is, in the words of RFC 2119."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


@dataclass(frozen=True, kw_only=True)
class Image:
    """The image that a cell ran, as identified by the engine."""

    id: Annotated[
        Digest, doc("Digest of the whole image's content, or of the sources for processes.")
    ]
    server_layer: Annotated[
        Digest,
        doc("Digest of the layer with the server and nothing else; the same for all Pythons."),
    ]
    base: Annotated[
        str, doc("The source of the base: an image, or a Debian release as in debian:bookworm.")
    ]


@dataclass(frozen=True, kw_only=True)
class Observed:
    """Limits as read back inside the running cell; null: this engine cannot set it."""

    nofile: Annotated[Positive | None, doc("RLIMIT_NOFILE.")] = None
    nproc: Annotated[Positive | None, doc("RLIMIT_NPROC.")] = None
    memory: Annotated[Positive | None, doc("Octets, of the whole cell.")] = None
    # A requested limit that is None without a reason is an error.
    why_not: Annotated[dict[str, str], doc("By limit, why it is null.")] = field(
        default_factory=dict
    )


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """How the server exited, after the stop signal or by itself."""

    exit_status: int | None
    """As in a shell: 128 + signal if it was killed. ``None``: it had to be abandoned."""
    oom_killed: bool
    log: str
    """The last lines that it wrote to stdout and stderr."""
    changed: tuple[str, ...]
    """Paths that differ from the image (``docker diff``); there should be none."""
    changed_unknown: str = ""
    """Why ``changed`` is unknown (a process has no image); empty if it is known."""
    left: int = 0
    """Processes of the cell that were still running after the server had exited cleanly."""
    forced: bool = False
    """Whether it did not exit within the grace period and was killed."""
    early: bool = False
    """Whether it had exited before the engine stopped it."""


@dataclass(frozen=True, kw_only=True)
class CaseResult:
    """The verdict of one check in one cell."""

    id: Annotated[str, doc("The check's id.")]
    alias: Annotated[str, doc("Another name of the check; empty: none.")] = ""
    level: Annotated[Level, doc("How binding the check is, in the terms of RFC 2119.")]
    outcome: Annotated[Outcome, doc("The verdict.")]
    detail: Annotated[
        str, doc("What was observed, or why nothing is known, in one line or a few.")
    ] = ""
    mismatches: Annotated[
        tuple[Mismatch, ...],
        doc("What was expected and what was observed; detail is then only a summary."),
    ] = ()
    title: Annotated[str, doc("About five words; empty if says is short itself.")] = ""
    says: Annotated[
        str, doc("The requirement in words; for a rule, the sentence of its standard.")
    ] = ""
    cite: Annotated[
        str,
        doc("Its source, as in RFC 9112 section 6.3; empty for wsgi-matrix's own."),
    ] = ""
    evidence: Annotated[
        tuple[str, ...], doc("Names of the cell's transcripts that it is based on.")
    ] = ()
    against: Annotated[
        str,
        doc("Id of the cell whose evidence of the same name it was compared with; empty: none."),
    ] = ""
    request: Annotated[
        str,
        doc("The request whose response it is about, as in GET /login; empty: none."),
    ] = ""
    status: Annotated[Status | None, doc("The status of that response, if it is complete.")] = None
    recorded: Annotated[
        Status | None, doc("The status recorded for it in the traffic, in a HAR for example.")
    ] = None

    @property
    def name(self) -> str:
        """Its id and alias, for reports: ``chunked/size-not-hex (R50)``."""
        return f"{self.id} ({self.alias})" if self.alias else self.id

    def explanation(self) -> str:
        """``detail``, followed by each mismatch."""
        return explain(self.detail, self.mismatches)


@dataclass(frozen=True, kw_only=True)
class Load:
    """How busy the host was while a cell ran."""

    cores: Annotated[Positive, doc("Cores that the run could use.")]
    average: Annotated[
        float,
        stated(minimum=0),
        doc("Load average of the last minute, when the cell ended (getloadavg(3))."),
    ]
    waited: Annotated[
        Annotated[float, stated(minimum=0, maximum=1)] | None,
        doc(
            "Share of the cell's time in which some process on the host was ready to run but had "
            "no processor; null: the kernel does not report it."
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class CellResult:
    """Everything known about one cell after it ran."""

    cell: Cell
    outcome: Outcome
    checks: tuple[CaseResult, ...]
    seconds: float
    image: Image | None = None
    framework_version: str = ""
    """Version of the framework in the bundle; empty for an app without one."""
    observed: Observed | None = None
    exchanges: dict[str, Exchange] = field(default_factory=dict)
    """By check id: the bytes that are compared across cells."""
    transcripts: dict[str, Transcript] = field(default_factory=dict)
    """By name: what was on the wire in each scenario."""
    ready_seconds: float | None = None
    """From the start of the server's first process until its port accepted; at least the time that
    the probe took to start. ``None``: it did not start."""
    memory: int | None = None
    """Octets of anonymous memory of all its processes after the last request; ``None``: it had
    exited, or this engine cannot measure it."""
    log: str = ""
    load: Load | None = None
    """The host's load while it ran; ``None`` for a cell that did not run."""
    engine_seconds: float = 0.0
    """The part of ``seconds`` spent waiting for the engine, not for the server or the probe."""
    reused: str = ""
    """Start of the earlier run whose result this is, if it was reused; RFC 3339, UTC."""
    kept: tuple[str, ...] = ()
    """What was preserved of the cell (``--keep``): ids of containers, or a directory."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run: where, when and with what it ran, and its cells."""

    engine: str
    engine_version: str
    kernel: str
    started: str
    """RFC 3339, UTC."""
    seconds: float
    phases: dict[str, float]
    """Seconds by phase: ``images``, ``bundles``, ``cells``."""
    cells: tuple[CellResult, ...]
    where: str = ""
    """One line for reports: containers of which engine, or that the cells were processes."""
    measured: dict[str, float] = field(default_factory=dict)
    """Seconds: ``cell`` (median), and what the engine's ``baseline`` measured in the same run."""
    suites: tuple[str, ...] = (DEFAULT_SUITE,)
    """The suites that ran; each cell says to which of them it belongs."""
    notes: tuple[str, ...] = ()
    """Notes on the results, for reports."""
    partial: Partial = Partial.NO
    """Why cells are missing; false if none is."""
