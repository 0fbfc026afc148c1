"""The axes of the matrix, and the cell, which is one combination of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from wsgi_matrix.model.app_environment import AppEnvironment
from wsgi_matrix.model.app_import_string import Target
from wsgi_matrix.util.schema_types import (
    ExitStatus,
    FilePath,
    GlibcVersion,
    Octets,
    Regex,
    SignalName,
    TableName,
    Text,
    between,
    doc,
    expect,
)

DEFAULT_SUITE = "hello"
"""The suite of cells for which none is specified."""


SMALLEST_NOFILE = 16
"""With less, the container runtime itself fails before the server runs."""
Workers = Annotated[int, between(1, 1000)]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Resource limits of a cell; a limit that is left out is not set."""

    name: Annotated[TableName, doc("The profile's name.")] = "default"
    nofile: Annotated[
        Annotated[int, between(SMALLEST_NOFILE, 2**30)] | None,
        doc("RLIMIT_NOFILE, soft and hard: file descriptors per process."),
    ] = None
    nproc: Annotated[
        Annotated[int, between(1, 2**22)] | None,
        doc("RLIMIT_NPROC, soft and hard: processes and threads per user."),
    ] = None
    memory: Annotated[
        Octets | None,
        doc("Memory of the whole cell (cgroup), not of one process."),
    ] = None
    clients: Annotated[int, between(1, 20000), doc("Number of concurrent clients in a burst.")] = 32
    rounds: Annotated[
        int,
        between(1, 1000),
        doc("Number of bursts, one after another; none follows one that lost a client."),
    ] = 1

    @property
    def bounded(self) -> bool:
        """Whether the profile sets a limit, so that a server may fail for lack of resources."""
        return (self.nofile, self.nproc, self.memory) != (None, None, None)


@dataclass(frozen=True, kw_only=True)
class ServerCommand:
    """How a server is started, stopped and reloaded."""

    process: Annotated[
        tuple[str, ...],
        doc(
            "The command instead of the image's entry point if cells are processes; {python}, "
            "{context}, the server's directory, and {lib}, its unpacked requirements, "
            "are replaced. Empty: containers only."
        ),
    ] = ()
    stop_signal: Annotated[SignalName, doc("The signal that stops it gracefully.")] = "SIGTERM"
    stop_status: Annotated[
        Annotated[
            tuple[ExitStatus, ...],
            expect("a list of exit statuses such as [0, 143]", min_length=1),
        ],
        doc("The exit statuses that count as clean after it."),
    ] = (0,)
    reload_signal: Annotated[
        SignalName,
        doc("The signal that makes its first process reload the application. None: no reload."),
    ] = ""
    ready_log: Annotated[
        Regex,
        doc(
            "A regular expression that its log must match before the first request. None: it is "
            "ready when its port accepts.",
            was="ready",
        ),
    ] = ""


@dataclass(frozen=True, kw_only=True)
class ServerArguments(ServerCommand):
    """One way to run a server: its arguments, and what differs from other ways."""

    args: Annotated[
        tuple[str, ...],
        doc(
            "Arguments to the entry point; {app}, {folder}, {port}, {workers} and {threads} are "
            "replaced."
        ),
    ]
    workers: Annotated[Workers, doc("Worker processes: what replaces {workers}.")] = 2
    threads: Annotated[
        int, between(1, 1000), doc("Threads of a worker: what replaces {threads}.")
    ] = 1


@dataclass(frozen=True, kw_only=True)
class ServerBuild(ServerCommand):
    """The inputs of a server's image, in addition to its directory."""

    product: Annotated[Text, doc("The server's name, for reports.")] = ""
    version: Annotated[Text, doc("The pinned version, for reports.")] = ""
    pythons: Annotated[
        tuple[str, ...], doc("Pythons that it is built for. Empty: all of the matrix.")
    ] = ()
    requirements: Annotated[
        Text, doc("A file of locked requirements with hashes; the build gets them in lib/.")
    ] = ""
    sources: Annotated[
        Text,
        doc("A file of locked source distributions; the build gets them in sources/."),
    ] = ""
    glibc: Annotated[
        GlibcVersion,
        doc(
            "The oldest glibc that its wheels run with, if newer than 2.28: the number "
            "in manylinux_2_35."
        ),
    ] = ""
    packages: Annotated[
        tuple[str, ...], doc("Debian packages of its base image, in addition to Python.")
    ] = ()
    builder: Annotated[
        tuple[str, ...],
        doc("Debian packages, such as a compiler, of the image that the build gets as BUILDER."),
    ] = ()


@dataclass(frozen=True, kw_only=True)
class Server(ServerArguments, ServerBuild):
    """A server under test. It is known only as an image and a command line."""

    name: TableName
    context: Annotated[
        FilePath, doc("The directory that it is built from; not needed if there is an image.")
    ] = field(default_factory=Path)
    dockerfile: Annotated[Text, doc("The build file, relative to context.")] = "Dockerfile"
    image: Annotated[
        Text,
        doc("An image that exists already: nothing is built, and args replace its entry point."),
    ] = ""
    process_path: Annotated[
        tuple[FilePath, ...], doc("Directories on PYTHONPATH if cells are processes.")
    ] = ()


@dataclass(frozen=True, kw_only=True)
class AppSource:
    """The directory of an application, and its requirements."""

    path: Annotated[FilePath, doc("The app's directory.")]
    target: Annotated[
        Target,
        doc("MODULE:CALLABLE, or a factory with literal arguments: MODULE:FACTORY(debug=True)."),
    ] = "app:app"
    framework: Annotated[
        str,
        doc("The distribution whose installed version /framework must report. Empty: none."),
    ] = ""
    requirements: Annotated[
        Text, doc("Its requirements, relative to path: locked with hashes, unless resolve is true.")
    ] = "requirements.txt"
    resolve: Annotated[
        bool, doc("Resolve and lock its requirements on this host, when first needed.")
    ] = False
    sdists: Annotated[
        bool, doc("Build packages without a wheel on this host, which runs their code.")
    ] = False
    pythons: Annotated[
        tuple[str, ...], doc("Pythons that its requirements exist for. Empty: all of the matrix.")
    ] = ()
    limits: Annotated[
        tuple[str, ...],
        doc("Limits that it runs under when none are named. Empty: those of the suite."),
    ] = ()


@dataclass(frozen=True, kw_only=True)
class App(AppSource):
    """An application: a directory, its requirements, and the name of the WSGI callable."""

    name: str
    needs: AppEnvironment = field(default_factory=AppEnvironment)


@dataclass(frozen=True, kw_only=True)
class Python:
    """A version of Python, and the source of its base image."""

    version: TableName
    images: Annotated[
        tuple[str, ...],
        doc("Images to use as a base: the first that exists locally or can be pulled."),
    ] = ()
    debian: Annotated[
        Text,
        doc(
            "The Debian release whose packages a base is made from if none of the images is "
            "available.",
            was="suite",
        ),
    ] = ""

    @property
    def tag(self) -> str:
        """``py311``, as in the ids of cells."""
        return "py" + self.version.replace(".", "")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One square of the matrix."""

    server: Server
    app: App
    limits: Limits
    python: Python
    suite: str = DEFAULT_SUITE
    """The suite that runs in it."""
    private_tmp: bool = False
    """Whether TMPDIR is a directory of its own."""

    @property
    def id(self) -> str:
        """A stable name, for example ``onegate-flask-fds256-py311``.

        It ends with the suite if the app's name does not imply it.
        """
        name = f"{self.server.name}-{self.app.name}-{self.limits.name}-{self.python.tag}"
        return f"{name}-{self.suite_label}" if self.suite_label else name

    @property
    def suite_label(self) -> str:
        """The suite, unless it is the default or has the app's name."""
        return "" if self.suite in (DEFAULT_SUITE, self.app.name) else self.suite
