"""What is sent to a server, and what was observed on the wire: exchanges, scenarios, bursts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wsgi_matrix.model.axes import Server


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and its whole response, byte for byte as on the wire."""

    request: bytes
    response: bytes
    """Every octet received until the end of the message or of the connection."""
    seconds: float
    error: str = ""
    """Why there is no complete response; empty if there is one."""
    end: str = "open"
    """The connection after the response: ``open``, ``fin`` or ``reset``."""
    logged: str = ""
    """What the server wrote to its log meanwhile; only the end if it is long."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a :class:`Scenario`; :mod:`wsgi_matrix.suites.conformance.steps` makes them."""

    do: str
    """``send``, ``responses``, ``head``, ``quiet``, ``end``, ``late_reset``, ``half_close``,
    ``close`` or ``reset``; with many connections ``connect``, ``fetch``, ``trickle``,
    ``all_ended`` or ``poll``; ``refused``; ``called``."""
    on: str = "a"
    """Name of the connection; its first step opens it."""
    among: tuple[str, ...] = ()
    """Names of the connections, in a step with many."""
    data: bytes = b""
    methods: tuple[str, ...] = ()
    """``responses``: waits for one final response to each; the method determines its framing."""
    within: float = 5.0
    """Seconds after which the step ends in any case."""
    every: float = 0.0
    """``trickle``, ``poll``: seconds between two octets or two requests."""
    times: int = 0
    """``poll``: number of responses with other content after which it ends."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What to do on one or several connections to the server, step by step."""

    name: str
    steps: tuple[Step, ...]
    alone: bool = False
    """Whether it must run with nothing else in its cell."""
    app: str = ""
    """Name of the app that it is for; empty: any app of its suite."""

    def to(self, server: Server) -> Scenario:
        """The scenario for ``server``, with ``{stop_signal}`` and ``{reload_signal}`` replaced."""
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
    """Number of octets after ``data`` that were not saved, in an event read from a file."""


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """What happened in a scenario, octet by octet."""

    name: str
    events: tuple[WireEvent, ...]

    def received(self, on: str = "a") -> bytes:
        """All octets received on a connection."""
        return b"".join(x.data for x in self.events if x.on == on and x.what == "received")

    def sent(self, on: str = "a") -> bytes:
        """All octets sent on a connection."""
        return b"".join(x.data for x in self.events if x.on == on and x.what == "sent")

    def end(self, on: str = "a") -> str:
        """``fin``, ``reset`` or ``open``: the last known state of a connection's server side."""
        ends = [x.what for x in self.events if x.on == on and x.what in ("fin", "reset")]
        return ends[-1] if ends else "open"

    def ended_at(self, on: str = "a") -> float | None:
        """When the server closed a connection, in seconds since the scenario began."""
        ends = [x.at for x in self.events if x.on == on and x.what in ("fin", "reset")]
        return ends[0] if ends else None

    def timed_out(self) -> bool:
        """Whether any step received less than it waited for."""
        return any(x.what == "timeout" for x in self.events)


@dataclass(frozen=True, kw_only=True)
class Burst:
    """Many clients connected at the same time, each sending one request.

    ``responses`` counts the distinct responses (``Date`` masked by the probe); ``errors`` counts
    errors by their description. The sum of both is ``clients``, over all rounds.
    """

    clients: int
    responses: dict[bytes, int]
    errors: dict[str, int]
    seconds: float
    together: int = 0
    """Connections that were open at the moment the first request was sent."""
    logged: str = ""
    """What the server wrote to its log meanwhile; only the end if it is long."""


NO_BURST = Burst(clients=0, responses={}, errors={}, seconds=0.0)
"""The result where no burst was requested."""
