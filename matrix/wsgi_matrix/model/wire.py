"""What is sent to a server, and what was on the wire: exchanges, scenarios, bursts."""

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
    """One step of a :class:`Scenario`; :mod:`wsgi_matrix.suites.conformance.steps` makes them."""

    do: str
    """``send``, ``responses``, ``head``, ``quiet``, ``end``, ``late_reset``, ``half_close``,
    ``close`` or ``reset``; with many connections ``connect``, ``fetch``, ``trickle``,
    ``all_ended`` or ``poll``; ``refused``; ``called``."""
    on: str = "a"
    """Name of the connection; the first step on one opens it."""
    among: tuple[str, ...] = ()
    """Names of the connections of a step with many."""
    data: bytes = b""
    methods: tuple[str, ...] = ()
    """``responses``: one whole final response is awaited for each; a method frames its response."""
    within: float = 5.0
    """Seconds after which the step is over, come what may."""
    every: float = 0.0
    """``trickle``, ``poll``: seconds between two octets, two requests."""
    times: int = 0
    """``poll``: responses with other content after which it is over."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What is done on one connection with the server, or on several, step by step."""

    name: str
    steps: tuple[Step, ...]
    alone: bool = False
    """Nothing else may be going on in the cell meanwhile."""
    app: str = ""
    """Name of the app that it is for; empty: any app of its suite."""

    def to(self, server: Server) -> Scenario:
        """It as it is run with ``server``: ``{stop_signal}`` and ``{reload_signal}`` filled in."""
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
class WireEvent:
    """One thing that happened on a connection of a scenario."""

    at: float
    """Seconds since the scenario began."""
    on: str
    what: str
    """``sent``, ``received``, ``shut``, ``fin``, ``reset``, ``closed`` (by us), ``timeout`` (a
    step got less than it waited for), ``refused`` (the port), ``error`` (``data`` says which),
    ``connected`` (with the app), ``gone`` (the server, after a scenario that ran alone)."""
    data: bytes = b""
    cut: int = 0
    """Octets that came behind ``data`` and were not kept, where it is of a file."""


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """What happened in a scenario, octet by octet."""

    name: str
    events: tuple[WireEvent, ...]

    def received(self, on: str = "a") -> bytes:
        """All octets that came on a connection."""
        return b"".join(x.data for x in self.events if x.on == on and x.what == "received")

    def sent(self, on: str = "a") -> bytes:
        """All octets that were sent on a connection."""
        return b"".join(x.data for x in self.events if x.on == on and x.what == "sent")

    def end(self, on: str = "a") -> str:
        """``fin``, ``reset`` or ``open``: the server's end of a connection when we last looked."""
        ends = [x.what for x in self.events if x.on == on and x.what in ("fin", "reset")]
        return ends[-1] if ends else "open"

    def ended_at(self, on: str = "a") -> float | None:
        """When the server ended a connection, in seconds since the scenario began."""
        ends = [x.at for x in self.events if x.on == on and x.what in ("fin", "reset")]
        return ends[0] if ends else None

    def timed_out(self) -> bool:
        """Whether any step got less than it waited for."""
        return any(x.what == "timeout" for x in self.events)


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
