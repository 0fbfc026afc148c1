"""The ``process`` engine: subprocesses under ``setrlimit``, for hosts without a container engine.

It proves less than containers do, and says so: no image, no memory limit, a writable file system.
What it cannot do is reported as a skip with the reason, never as a pass.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import platform
import re
import resource
import shutil
import subprocess
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from wsgi_matrix.engines import commands
from wsgi_matrix.engines.doctor import Finding
from wsgi_matrix.engines.open_cells import OpenCells
from wsgi_matrix.engines.process import doctor, leftovers
from wsgi_matrix.engines.process.cell import ProcessCell
from wsgi_matrix.errors import SetupError
from wsgi_matrix.model.axes import App, Cell, Python, Server
from wsgi_matrix.model.results import Image
from wsgi_matrix.packaging import bundle as bundles
from wsgi_matrix.packaging import interpreters, server_dependencies
from wsgi_matrix.util import permissions
from wsgi_matrix.util.file_lock import exclusive

SHARED = Path("/var/cache/wsgi-matrix")
"""The cache of root if its own is inaccessible to other users (FHS 3.0, 5.5)."""
KEPT = "kept"
"""Directory for preserved cells, next to those of runs."""
UIDS_PER_RUN = 256
FIRST_UID = 1_000_000
CAP_SYS_RESOURCE = 24
_numbers = itertools.count()


class ProcessEngine:
    """Runs cells as processes on this host. ``build``: directory for bundles and logs."""

    name = "process"
    where = "processes under setrlimit, NOT containers: no image, no memory limit, root writable"

    def __init__(self, build: Path, *, keep: bool = False) -> None:
        """``keep``: preserve the logs of cells in ``matrix/kept``, for :meth:`keep_only`."""
        self.keep = keep
        self.version = platform.python_version()
        self.build = build
        self._open = OpenCells()
        self._held = contextlib.ExitStack()
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self.root = os.geteuid() == 0 and _uid_room()
        """Whether cells get a uid of their own, which RLIMIT_NPROC needs."""
        self.place = _place(build) if self.root else build
        """Directory with bundles and the directories of cells."""
        if self.root and not permissions.searchable(self.place):
            self.where += (
                f"; {self.place} is inaccessible to other users, so os.access() fails for all of it"
            )

    def prepare(self, cells: Sequence[Cell], phase: Callable[[str, str], None]) -> None:
        """Make the bundles. There are no images; leftover cells of dead runs are removed."""
        leftovers.clean(self.place / "matrix")
        self._held.enter_context(bundles.in_use(self.place))
        phase("bundles", "")
        for app, python in dict.fromkeys((cell.app, cell.python) for cell in cells):
            phase("bundles", f"{app.name} {python.tag}")
            bundle = bundles.ensure_bundle(app, python, self.place, None)
            for folder in (bundle.folder, bundle.lib):
                self._compile(folder, python)
        for server, python in dict.fromkeys((cell.server, cell.python) for cell in cells):
            of_server = server_dependencies.ensure_folder(server, python, self.place, None)
            if of_server is not None:
                self._compile(of_server, python)

    def _compile(self, folder: Path, python: Python) -> None:
        """Compile the modules in a directory once, because cells do not write bytecode.

        Uses unchecked hashes, because the files never change. Files that do not compile are
        ignored: packages contain templates and files for other Pythons.
        """
        found, done = interpreters.find(python.version), folder.with_name(folder.name + ".compiled")
        with exclusive(folder.with_name(folder.name + ".lock")):
            if found is not None and not done.exists():
                words = ["-I", "-m", "compileall", "-q", "-j", "0"]
                words += ["--invalidation-mode", "unchecked-hash", str(folder)]
                subprocess.run(
                    [found[0], *words], stdin=subprocess.DEVNULL, capture_output=True, check=False
                )
                done.touch()

    def skip_reason(self, cell: Cell) -> str:
        """Why ``cell`` cannot run as a process on this host; empty if it can."""
        if not cell.server.process:
            return f"servers.{cell.server.name} has no `process` command in matrix.toml"
        if interpreters.find(cell.python.version) is None:
            return f"no working python{cell.python.version} was found on this host"
        if reason := _unsupported(cell.app):
            return reason
        if cell.limits.nofile and cell.limits.nofile > (most := most_files()):
            return f"nofile {cell.limits.nofile} is above this host's maximum of {most}"
        return ""

    @contextlib.contextmanager
    def open(self, cell: Cell) -> Iterator[ProcessCell]:
        """Start the server of ``cell``; on exit, all of its processes are killed."""
        with self._cell(cell) as running:
            running.start()
            yield running

    def check(self, cell: Cell, words: Sequence[str]) -> tuple[int | None, str]:
        """See :class:`.Engine`."""
        with self._cell(cell) as running:
            running.set_up()
            return commands.check(words, str(running.python), running.run)

    @contextlib.contextmanager
    def _cell(self, cell: Cell) -> Iterator[ProcessCell]:
        """A cell that is not started; on exit, everything of it is removed."""
        found = interpreters.find(cell.python.version)
        if found is None:
            raise SetupError(self.skip_reason(cell))
        _, version = found
        python = interpreters.bare(cell.python.version, self.place)
        bundle = bundles.ensure_bundle(cell.app, cell.python, self.place, None)
        of_server = server_dependencies.ensure_folder(cell.server, cell.python, self.place, None)
        digest = source_digest(cell.server)
        with self._lock:  # closing the last open cell removes the directory, so not between these
            running = ProcessCell(
                cell,
                folder=self._run_directory(),
                python=python,
                bundle=bundle,
                server_lib=of_server / "lib" if of_server else None,
                image=Image(id=digest, server_layer=digest, base=f"process: CPython {version}"),
                uid=self.uid(),
            )
            self._open.add(running)
        try:
            yield running
        finally:
            running.close(keep=self._kept_of(cell.id) if self.keep else None)
            with self._lock:
                if self._open.discard(running) and self._folder is not None:
                    shutil.rmtree(self._folder, ignore_errors=True)
                    self._folder = None

    def baseline(self, cell: Cell) -> dict[str, float]:
        """Empty, since the bound on a cell's time is for containers."""
        return {}

    def abort(self) -> None:
        """Kill the servers of all open cells."""
        self._open.kill()

    def clean(self) -> int:
        """Kill processes of dead runs, remove their directories and preserved cells."""
        kept = [*(self.build / "matrix" / KEPT).glob("*")]
        for folder in kept:
            shutil.rmtree(folder)
        places = {self.build, self.place}
        return sum(leftovers.clean(place / "matrix") for place in places) + len(kept)

    def clean_cache(self) -> int:
        """See :class:`.Engine`."""
        return sum(bundles.remove_all(place) for place in {self.build, self.place})

    def identity(self, cell: Cell) -> tuple[str, ...]:
        """See :class:`.Engine`."""
        found = interpreters.find(cell.python.version)
        bundle = bundles.ensure_bundle(cell.app, cell.python, self.place, None)
        return (self.name, source_digest(cell.server), bundle.digest, str(found))

    def installed(self, cell: Cell) -> dict[str, str]:
        """See :class:`.Engine`."""
        return bundles.ensure_bundle(cell.app, cell.python, self.place, None).versions

    def findings(self, python: Python, phase: Callable[[str, str], None]) -> Iterator[Finding]:
        """See :class:`.Engine`; it makes no image."""
        yield from doctor.findings(self.uid())

    def gone(self) -> str:
        """Empty: this host is always available."""
        return ""

    def _kept_of(self, cell: str) -> Path:
        return self.build / "matrix" / KEPT / cell

    def keep_only(self, cells: Collection[str]) -> dict[str, tuple[str, ...]]:
        """See :class:`.Engine`: a directory with the output of server and probe."""
        kept: dict[str, tuple[str, ...]] = {}
        for folder in (self.build / "matrix" / KEPT).glob("*"):
            if folder.name in cells:
                kept[folder.name] = (str(folder),)
            else:
                shutil.rmtree(folder)
        return kept

    def close(self) -> None:
        """Release the lock on the bundles. No process outlives its cell."""
        self._held.close()

    def _run_directory(self) -> Path:
        if self._folder is None:
            self._folder = leftovers.make_directory(self.place / "matrix")
        return self._folder

    def uid(self) -> int | None:
        """A uid that no other process has: each run has a range derived from its pid."""
        if not self.root:
            return None
        return FIRST_UID + os.getpid() * UIDS_PER_RUN + next(_numbers) % UIDS_PER_RUN


def _place(build: Path) -> Path:
    """``build``, or the system's cache if only root can reach ``build``: cells have another user.

    They can read everything (:mod:`.launcher`), but access(2) does not take that into account,
    and applications call it before they open a file.
    """
    if permissions.searchable(build):
        return build
    try:
        for folder in (SHARED, *(SHARED / part for part in (*bundles.PARTS, "matrix"))):
            folder.mkdir(exist_ok=True, parents=folder == SHARED)
            # Names contain a digest, so they cannot be guessed by a user who cannot list them.
            folder.chmod(0o711)
    except OSError:
        return build
    safe = SHARED.stat().st_uid == 0 and permissions.searchable(SHARED)
    return SHARED if safe else build


def _unsupported(app: App) -> str:
    """Why a process cannot provide the environment of an app; empty if it can."""
    needs = app.needs
    if needs.services:
        names = ", ".join(each.name for each in needs.services)
        return f"{app.name} has services ({names}), which need containers"
    for place, there in (("writable", needs.writable), ("secrets", bool(needs.secrets))):
        if there and not needs.names(place):
            return (
                f"a process has no file system of its own: use {{{place}}} in a variable of "
                f"{app.name} instead of a fixed path, or use containers"
            )
    return ""


def most_files() -> int:
    """The largest RLIMIT_NOFILE that this process can set (setrlimit(2), proc(5))."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    status = Path("/proc/self/status").read_text()
    held = int(re.search(r"^CapEff:\s*([0-9a-f]+)", status, re.MULTILINE)[1], 16)  # type: ignore[index]
    if held >> CAP_SYS_RESOURCE & 1 or hard == resource.RLIM_INFINITY:
        return int(Path("/proc/sys/fs/nr_open").read_text())
    return hard


def _uid_room() -> bool:
    """Whether the uids of cells exist in this user namespace."""
    highest = FIRST_UID + (os.getpid() + 1) * UIDS_PER_RUN
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/self/uid_map").read_text().splitlines():
            first, _, count = (int(part) for part in line.split())
            if first == 0 and count > highest:
                return True
    return False


def source_digest(server: Server) -> str:
    """``sha256:…`` of the server's source, used instead of an image digest.

    Without a ``process_path`` that says where the source is, it is that of the command.
    """
    digest = hashlib.sha256(repr(server.process).encode())
    if server.requirements:
        digest.update((server.context / server.requirements).read_bytes())
    for folder in server.process_path:
        for path in bundles.files(folder):
            name = path.relative_to(folder).as_posix()
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{name}\0{content}\n".encode())
    return "sha256:" + digest.hexdigest()
