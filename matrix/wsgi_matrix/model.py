"""What the matrix is made of: frozen values only, no I/O.

Every other module speaks in these types. A cell is one combination of the axes; an engine opens it;
the probe brings back what was on the wire; checks judge it; reports show the results.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from wsgi_matrix.surroundings import Surroundings


class Outcome(StrEnum):
    """The one set of outcomes, for checks, cells and runs alike."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"  # a requirement is broken
    DIFFER = "differ"  # allowed, but not identical to the reference
    SKIP = "skip"  # not run, with a reason
    ERROR = "error"  # could not be judged
    XFAIL = "xfail"  # a known, named quirk


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
class Limits:
    """Resource limits of a cell; ``None`` means that the profile does not set the limit.

    ``nofile``, ``nproc``: RLIMIT_NOFILE and RLIMIT_NPROC, soft and hard alike. ``memory``: bytes,
    for the whole cell (cgroup), not for a process. ``clients`` is the size of the burst, and
    ``rounds`` how often there is one, each after the end of the one before, if none was lost in it.
    """

    name: str = "default"
    nofile: int | None = None
    nproc: int | None = None
    memory: int | None = None
    clients: int = 32
    rounds: int = 1

    @property
    def bounded(self) -> bool:
        """Whether a server may end for want of what the profile withholds."""
        return (self.nofile, self.nproc, self.memory) != (None, None, None)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server under test. It is known only as an image and a command line."""

    name: str
    context: Path
    dockerfile: str = "Dockerfile"
    """Build file, relative to ``context``."""
    args: tuple[str, ...]
    """Arguments to the entry point; ``{app} {folder} {port} {workers} {threads}`` are values."""
    process: tuple[str, ...] = ()
    """Command that stands for the entry point in the process engine; ``{python}`` and
    ``{context}`` are filled in too."""
    process_path: tuple[Path, ...] = ()
    """Folders put on PYTHONPATH in the process engine."""
    workers: int = 2
    threads: int = 1
    stop_signal: str = "SIGTERM"
    reload_signal: str = ""
    """Makes its first process load the application anew; empty: it has nothing of the kind."""
    ready: str = ""
    """Expression that its log has to match before anything is sent; empty: the port is enough."""
    product: str = ""
    version: str = ""
    """What is pinned, for reports."""
    pythons: tuple[str, ...] = ()
    """Pythons that it is built for; empty: all of the matrix."""
    requirements: str = ""
    """Locked requirements in ``context``, unpacked here; the build sees them as ``lib/``."""
    sources: str = ""
    """Locked source distributions; the build sees the archives in ``sources/``."""
    packages: tuple[str, ...] = ()
    """Debian packages that are in its ``BASE`` besides Python."""
    image: str = ""
    """An image that is there already: it is not built, and ``args`` replace its entry point."""
    builder: tuple[str, ...] = ()
    """Debian packages, a compiler say, that are in the image that it gets as ``BUILDER``."""


@dataclass(frozen=True, kw_only=True)
class App:
    """An application: a folder, its locked requirements, and the name of the WSGI callable."""

    name: str
    path: Path
    target: str = "app:app"
    framework: str = ""
    """Distribution whose installed version ``/framework`` has to report; empty: none."""
    requirements: str = "requirements.txt"
    resolve: bool = False
    """Its requirements are not locked with hashes: they are resolved and locked here."""
    surroundings: Surroundings = field(default_factory=Surroundings)


@dataclass(frozen=True, kw_only=True)
class Python:
    """A Python of the matrix and where its base image comes from."""

    version: str
    """``"3.11"``."""
    images: tuple[str, ...] = ()
    """Images to take as base when one is present or can be pulled, first match."""
    suite: str = ""
    """Debian suite from which the base is made where none of ``images`` can be had."""

    @property
    def tag(self) -> str:
        """``py311``, as it stands in the id of a cell."""
        return "py" + self.version.replace(".", "")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One square of the matrix."""

    server: Server
    app: App
    limits: Limits
    python: Python
    suite: str = "hello"
    """What is sent to it and judged."""

    @property
    def id(self) -> str:
        """Stable name, for example ``onegate-flask-fds256-py311``.

        The suite stands behind it where the app does not tell it.
        """
        name = f"{self.server.name}-{self.app.name}-{self.limits.name}-{self.python.tag}"
        return name if self.suite in ("hello", self.app.name) else f"{name}-{self.suite}"


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
class Exchange:
    """One request and the whole of the answer, byte for byte as it was on the wire."""

    request: bytes
    response: bytes
    """Every octet received until the end of the message or of the connection."""
    seconds: float
    error: str = ""
    """Why there is no complete answer; empty when there is one."""
    end: str = "open"
    """The connection after the answer: ``open``, ``fin`` or ``reset``."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a :class:`Talk`; :mod:`wsgi_matrix.cases.steps` makes them."""

    do: str
    """``send``, ``answers``, ``head``, ``quiet``, ``end``, ``shut``, ``close`` or ``reset``; with
    many connections ``crowd``, ``trickle``, ``ended`` or ``ask``; ``refused``."""
    on: str = "a"
    """Name of the connection; the first step on one opens it."""
    among: tuple[str, ...] = ()
    """Names of the connections of a step with many."""
    data: bytes = b""
    methods: tuple[str, ...] = ()
    """``answers``: one whole final answer is awaited for each; a method frames its answer."""
    within: float = 5.0
    """Seconds after which the step is over, come what may."""
    every: float = 0.0
    """``trickle``, ``ask``: seconds between two octets, two requests."""
    times: int = 0
    """``ask``: answers of another content after which it is over."""


@dataclass(frozen=True, kw_only=True)
class Talk:
    """A conversation with the server, over one connection or several."""

    name: str
    steps: tuple[Step, ...]
    alone: bool = False
    """Nothing else may be going on in the cell meanwhile."""
    app: str = ""
    """Name of the app that it is had with; empty: any app of its suite."""

    def to(self, server: Server) -> Talk:
        """It as it is had with ``server``: ``{stop_signal}`` and ``{reload_signal}`` filled in."""
        values = {
            b"{stop_signal}": server.stop_signal.encode(),
            b"{reload_signal}": server.reload_signal.encode(),
        }
        steps = []
        for step in self.steps:
            data = step.data
            for name, value in values.items():
                data = data.replace(name, value)
            steps.append(replace(step, data=data))
        return replace(self, steps=tuple(steps))


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing that happened on a connection of a talk."""

    at: float
    """Seconds since the talk began."""
    on: str
    what: str
    """``sent``, ``received``, ``shut``, ``fin``, ``reset``, ``closed`` (by us), ``timeout`` (a
    step got less than it waited for), ``refused`` (the port), ``error`` (``data`` says which),
    ``gone`` (the server, after a talk that was had by itself)."""
    data: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """What became of a talk, octet by octet."""

    name: str
    lines: tuple[Line, ...]

    def received(self, on: str = "a") -> bytes:
        """All octets that came on a connection."""
        return b"".join(x.data for x in self.lines if x.on == on and x.what == "received")

    def sent(self, on: str = "a") -> bytes:
        """All octets that were sent on a connection."""
        return b"".join(x.data for x in self.lines if x.on == on and x.what == "sent")

    def end(self, on: str = "a") -> str:
        """``fin``, ``reset`` or ``open``: the server's end of a connection when we last looked."""
        ends = [x.what for x in self.lines if x.on == on and x.what in ("fin", "reset")]
        return ends[-1] if ends else "open"

    def ended_at(self, on: str = "a") -> float | None:
        """When the server ended a connection, in seconds since the talk began."""
        ends = [x.at for x in self.lines if x.on == on and x.what in ("fin", "reset")]
        return ends[0] if ends else None

    def timed_out(self) -> bool:
        """Whether any step got less than it waited for."""
        return any(x.what == "timeout" for x in self.lines)


@dataclass(frozen=True, kw_only=True)
class Burst:
    """Many clients connected at the same time, each sending one request.

    ``answers`` counts the distinct answers (``Date`` masked by the probe); ``errors`` counts what
    went wrong by its description. The sum of both is ``clients``, over all rounds.
    """

    clients: int
    answers: dict[bytes, int]
    errors: dict[str, int]
    seconds: float
    together: int = 0
    """Connections that were open at the moment the first request was sent."""


NO_BURST = Burst(clients=0, answers={}, errors={}, seconds=0.0)
"""What is seen where no burst was asked for."""


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
    level: Level
    outcome: Outcome
    detail: str = ""
    says: str = ""
    """The requirement in words."""
    cite: str = ""
    """Where it stands: ``RFC 9112 section 6.3``; empty for one of the matrix's own."""
    evidence: tuple[str, ...] = ()
    """Names of the transcripts of its cell that it was judged on."""
    against: str = ""
    """Id of the cell whose evidence of the same name it was compared with; empty: with none."""


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
    """By name: what was on the wire in the talks."""
    ready_seconds: float | None = None
    """From the start of the server's first process until its port accepted; never less than the
    probe itself took to start. ``None``: it did not come up."""
    memory: int | None = None
    """Octets of anonymous memory of all its processes after the last request; ``None``: it had
    ended, or this engine cannot tell."""
    log: str = ""
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
