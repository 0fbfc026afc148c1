"""The axes of the matrix, and the cell, which is one combination of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from wsgi_matrix.model.app_environment import Surroundings

DEFAULT_SUITE = "hello"
"""The suite that cells belong to where nothing else is said."""


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
    stop_status: tuple[int, ...] = (0,)
    """Exit statuses that it may have after that."""
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
    """``MODULE:CALLABLE``, or a factory with literal arguments: ``MODULE:FACTORY(debug=True)``."""
    framework: str = ""
    """Distribution whose installed version ``/framework`` has to report; empty: none."""
    requirements: str = "requirements.txt"
    resolve: bool = False
    """Its requirements are not locked with hashes: they are resolved and locked here."""
    sdists: bool = False
    """Packages without a wheel are built on this machine."""
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
    suite: str = DEFAULT_SUITE
    """What is sent to it and judged."""
    private_tmp: bool = False
    """TMPDIR is a directory of its own."""

    @property
    def id(self) -> str:
        """Stable name, for example ``onegate-flask-fds256-py311``.

        The suite stands behind it where the app does not tell it.
        """
        name = f"{self.server.name}-{self.app.name}-{self.limits.name}-{self.python.tag}"
        return f"{name}-{self.suite_label}" if self.suite_label else name

    @property
    def suite_label(self) -> str:
        """The suite, where neither the app tells it nor it is the usual one."""
        return "" if self.suite in (DEFAULT_SUITE, self.app.name) else self.suite
