"""What is measured, as plain data. Times are in seconds unless a name says ``us``."""

from __future__ import annotations

from dataclasses import dataclass, field

ONEGATE = "onegate"
PURE = "onegate-pure"  # the same sources, without what was compiled of them
BASELINE = "onegate-baseline"  # another build, to compare with
IN_PROCESS = "in-process"  # the same app called in a loop, with no server at all
WIRE = "nginx"  # answers without Python: what the load and the loopback device can carry


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server as it is started. ``command`` holds the fields that :mod:`bench.process` fills.

    ``product`` is the distribution that it comes from, ``build`` which copy of onegate it is,
    ``stop`` the signal that ends it, and ``ready`` what it prints once the application is there, of
    one that listens before.
    """

    name: str
    product: str
    command: str
    threads: int = 1
    workers: int = 1
    build: str = ""
    stop: str = "SIGTERM"
    ready: str = ""
    why: str = ""

    @property
    def is_peer(self) -> bool:
        """Whether onegate is measured against it."""
        return self.product not in (ONEGATE, WIRE)


@dataclass(frozen=True, kw_only=True)
class App:
    """An application: the object ``app`` of ``app.py`` in ``folder``.

    ``lock`` is the file that pins its framework, and ``distribution`` how the index names that.
    """

    name: str
    folder: str
    distribution: str = ""
    lock: str = ""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A kind of load, for some of the apps and for servers of so many threads and workers."""

    name: str
    title: str
    apps: tuple[str, ...]
    threads: int = 1
    workers: int = 1
    traffic: bool = False  # the requests of bench/traffic.py, instead of the same one each time
    path: str = "/hello"
    close: bool = False  # one connection for each request
    upload: int = 0  # octets of the request's content
    idle: int = 0  # connections that are open beside the load, and silent
    fixed_rate: bool = False

    def takes(self, server: Server) -> bool:
        """Whether a server is one that this load is for."""
        return (server.threads, server.workers) == (self.threads, self.workers)


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Octets, after load, while no other measured server runs.

    ``worker_anonymous`` is what the worker has made itself. The rest of what is resident are pages
    of files, of which the kernel maps more or fewer as it happens to have them.
    """

    worker_anonymous: int
    worker_rss: int
    worker_pss: int
    tree_pss: int
    processes: int


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A server alone with an app, before anything is timed. ``reason``: why it takes no part.

    ``wrong``: by scenario, what it answers wrongly, so that it takes no part in that load.
    """

    server: str
    app: str
    reason: str = ""
    wrong: dict[str, str] = field(default_factory=dict)
    closes: bool = False  # a connection that asks for it
    calls_close: bool = False  # of what the app returned (PEP 3333)
    served_at_once: int = 0  # of as many open connections as the load has
    rps: float = 0.0
    memory: Memory | None = None


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One slice of time: one server, one app, one load, one round."""

    server: str
    app: str
    scenario: str
    round: int
    rps: float
    requests: int = 0
    p50_us: float = 0.0
    p99_us: float = 0.0
    max_us: float = 0.0
    cpu_us: float = 0.0  # processor time of all its processes for one request
    others: float = 0.0  # share of the server's cores that someone else had
    load_busy: float = 0.0  # share of its core that the load used; near 1, it is the limit
    own_memory: int = 0  # octets that the worker has made itself, behind the slice
    offered: float = 0.0  # requests/s that were asked for, at a fixed rate
    idle_kept: int = 0
    problems: dict[str, int] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        """Whether every request of the slice was answered as it should be."""
        return not self.problems and self.requests > 0
