"""What is sent to a server, and what was on the wire: exchanges, talks, bursts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wsgi_matrix.model.axes import Server


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
    logged: str = ""
    """What the server wrote on its log meanwhile; only its end where that is long."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a :class:`Talk`; :mod:`wsgi_matrix.suites.conformance.steps` makes them."""

    do: str
    """``send``, ``answers``, ``head``, ``quiet``, ``end``, ``behind``, ``shut``, ``close`` or
    ``reset``; with many connections ``crowd``, ``fetch``, ``trickle``, ``ended`` or ``ask``;
    ``refused``; ``called``."""
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
    ``connected`` (with the app), ``gone`` (the server, after a talk that was had by itself)."""
    data: bytes = b""
    cut: int = 0
    """Octets that came behind ``data`` and were not kept, where it is of a file."""


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
    logged: str = ""
    """What the server wrote on its log meanwhile; only its end where that is long."""


NO_BURST = Burst(clients=0, answers={}, errors={}, seconds=0.0)
"""What is seen where no burst was asked for."""
