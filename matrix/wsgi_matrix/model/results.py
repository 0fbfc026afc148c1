"""What is known after a cell ran: what the engine saw of it, the judgement, and the whole run."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.mismatch import Mismatch, explain
from wsgi_matrix.model.wire import Exchange, Transcript


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

    id: str
    """Content digest of the whole image (``sha256:…``), or of the source tree for processes."""
    server_layer: str
    """Digest of the layer that holds the server and nothing else; equal over all Pythons."""
    base: str
    """Where the base came from: an image reference, or ``debian:bookworm`` and the like."""


@dataclass(frozen=True, kw_only=True)
class Observed:
    """Limits as read back from inside the running cell. ``None``: this engine cannot set it."""

    nofile: int | None = None
    nproc: int | None = None
    memory: int | None = None
    why_not: dict[str, str] = field(default_factory=dict)
    """By limit: why it is ``None``. A requested one without an answer and a reason is an error."""


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

    id: str
    alias: str = ""
    """Another name of the check; empty: none."""
    level: Level
    outcome: Outcome
    detail: str = ""
    """What came, or why nothing is known, in a line or a few."""
    mismatches: tuple[Mismatch, ...] = ()
    """What was expected and what came, where ``detail`` is only a summary of that."""
    title: str = ""
    """About five words; empty where ``says`` is short itself."""
    says: str = ""
    """The requirement in words: of a rule the sentence of its standard."""
    cite: str = ""
    """Where it stands: ``RFC 9112 section 6.3``; empty for one of the matrix's own."""
    evidence: tuple[str, ...] = ()
    """Names of the transcripts of its cell that it was judged on."""
    against: str = ""
    """Id of the cell whose evidence of the same name it was compared with; empty: with none."""
    request: str = ""
    """``GET /login``: the request of the traffic whose response it is about; empty: none."""
    status: int | None = None
    """Of that response, if it is whole."""
    recorded: int | None = None
    """The status that the traffic itself has for it, a HAR's say."""

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

    cores: int
    """That this process may use."""
    average: float
    """Of the last minute, when the cell ended (getloadavg(3))."""
    waited: float | None = None
    """Share of the cell's time in which some process of the machine was ready to run and had no
    processor; ``None``: the kernel does not tell."""


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
    suites: tuple[str, ...] = ("hello",)
    """What was sent and judged; each cell says which of them it belongs to."""
    notes: tuple[str, ...] = ()
    """Lines for people that belong to the result."""
    partial: Partial = Partial.NO
    """Why cells are missing; false where none is."""
