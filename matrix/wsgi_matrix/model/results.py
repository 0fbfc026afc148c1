"""What is known after a cell ran: what the engine saw of it, the judgement, and the whole run."""

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
    DIFFER = "differ"  # not as in the reference
    SKIP = "skip"  # not run, with a reason
    ERROR = "error"  # could not be judged
    XFAIL = "xfail"  # known, and named


class Partial(StrEnum):
    """Why a run is not whole."""

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
    """What a cell ran, as the engine names it."""

    id: Annotated[
        Digest, doc("Digest of the content of the whole image, or of the sources for processes.")
    ]
    server_layer: Annotated[
        Digest,
        doc("Digest of the layer that holds the server and nothing else; equal over all Pythons."),
    ]
    base: Annotated[
        str, doc("Where the base came from: an image, or debian:bookworm and the like.")
    ]


@dataclass(frozen=True, kw_only=True)
class Observed:
    """Limits as read back from inside the running cell; null: this engine cannot set it."""

    nofile: Annotated[Positive | None, doc("RLIMIT_NOFILE.")] = None
    nproc: Annotated[Positive | None, doc("RLIMIT_NPROC.")] = None
    memory: Annotated[Positive | None, doc("Octets, of the whole cell.")] = None
    # A requested one that is None without a reason is an error.
    why_not: Annotated[dict[str, str], doc("By limit, why it is null.")] = field(
        default_factory=dict
    )


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """How the server ended, after the stop signal or by itself."""

    exit_status: int | None
    """As in a shell: 128 + signal for one that was killed. ``None``: it had to be abandoned."""
    oom_killed: bool
    log: str
    """Last lines of what it wrote on stdout and stderr."""
    changed: tuple[str, ...]
    """Paths that differ from the image (``docker diff``); ``None`` of them is what is wanted."""
    changed_unknown: str = ""
    """Why ``changed`` cannot be told here (a process has no image); empty where it can."""
    left: int = 0
    """Processes of the cell that still ran after the server itself had ended in order."""
    forced: bool = False
    """True when it did not end within the grace period and was killed."""
    early: bool = False
    """True when it had ended before the engine told it to."""


@dataclass(frozen=True, kw_only=True)
class CaseResult:
    """Judgement of one check in one cell."""

    id: Annotated[str, doc("The check's id.")]
    alias: Annotated[str, doc("Another name of the check; empty: none.")] = ""
    level: Annotated[Level, doc("How binding the check is, as RFC 2119 has it.")]
    outcome: Annotated[Outcome, doc("The verdict.")]
    detail: Annotated[str, doc("What came, or why nothing is known, in a line or a few.")] = ""
    mismatches: Annotated[
        tuple[Mismatch, ...],
        doc("What was expected and what came, where detail is only a summary of that."),
    ] = ()
    title: Annotated[str, doc("About five words; empty where says is short itself.")] = ""
    says: Annotated[
        str, doc("The requirement in words: of a rule the sentence of its standard.")
    ] = ""
    cite: Annotated[
        str,
        doc("Where it is from, as in RFC 9112 section 6.3; empty for one of wsgi-matrix's own."),
    ] = ""
    evidence: Annotated[
        tuple[str, ...], doc("Names of the transcripts of its cell that it was judged on.")
    ] = ()
    against: Annotated[
        str,
        doc("Id of the cell whose evidence of the same name it was compared with; empty: none."),
    ] = ""
    request: Annotated[
        str,
        doc("The request of the traffic whose response it is about: GET /login; empty: none."),
    ] = ""
    status: Annotated[Status | None, doc("Of that response, if it is complete.")] = None
    recorded: Annotated[
        Status | None, doc("The status that the traffic itself, a HAR for example, has for it.")
    ] = None

    @property
    def name(self) -> str:
        """Its id and alias, for people: ``chunked/size-not-hex (R50)``."""
        return f"{self.id} ({self.alias})" if self.alias else self.id

    def explanation(self) -> str:
        """``detail``, and below it each mismatch."""
        return explain(self.detail, self.mismatches)


@dataclass(frozen=True, kw_only=True)
class Load:
    """How busy the machine was while a cell ran."""

    cores: Annotated[Positive, doc("Cores that the run could use.")]
    average: Annotated[
        float,
        stated(minimum=0),
        doc("Load average of the last minute, when the cell ended (getloadavg(3))."),
    ]
    waited: Annotated[
        Annotated[float, stated(minimum=0, maximum=1)] | None,
        doc(
            "Share of the cell's time in which some process of the machine was ready to run and "
            "had no processor; null: the kernel does not report it."
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
    """By check id: the bytes that the comparison across cells works on."""
    transcripts: dict[str, Transcript] = field(default_factory=dict)
    """By name: what was on the wire in the scenarios."""
    ready_seconds: float | None = None
    """From the start of the server's first process until its port accepted; never less than the
    probe itself took to start. ``None``: it did not come up."""
    memory: int | None = None
    """Octets of anonymous memory of all its processes after the last request; ``None``: it had
    ended, or this engine cannot tell."""
    log: str = ""
    load: Load | None = None
    """The machine's meanwhile; ``None`` for a cell that did not run."""
    engine_seconds: float = 0.0
    """Of ``seconds``: waited for the engine, and neither for the server nor for the probe."""
    reused: str = ""
    """Start of the run that found this, where it was not this one; RFC 3339, UTC."""
    kept: tuple[str, ...] = ()
    """What was left of the cell on request: ids of containers, or a folder."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A whole run: where, when, with what, and the cells."""

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
    """One line for people: containers of which engine, or plainly that these were processes."""
    measured: dict[str, float] = field(default_factory=dict)
    """Seconds: ``cell`` (median) beside what the engine's ``baseline`` found in the same run."""
    suites: tuple[str, ...] = (DEFAULT_SUITE,)
    """What was sent and judged; each cell says which of them it belongs to."""
    notes: tuple[str, ...] = ()
    """Lines for people that belong to the result."""
    partial: Partial = Partial.NO
    """Why cells are missing; false where none is."""
