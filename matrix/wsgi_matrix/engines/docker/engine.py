"""The Docker engine: cells in Linux containers, through the Docker SDK."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from docker.errors import DockerException

from wsgi_matrix.engines import commands
from wsgi_matrix.engines.docker import clean as docker_clean
from wsgi_matrix.engines.docker import startup_baseline
from wsgi_matrix.engines.docker.base_images import ensure_base
from wsgi_matrix.engines.docker.cell import DockerRunning
from wsgi_matrix.engines.docker.cell_provisioning import PYTHON
from wsgi_matrix.engines.docker.client import KEEP, OWNER, RUN, connect, engine_name
from wsgi_matrix.engines.docker.containers import remove_containers
from wsgi_matrix.engines.docker.doctor import DockerDoctor
from wsgi_matrix.engines.docker.prepare import Prepared
from wsgi_matrix.engines.doctor import Finding
from wsgi_matrix.engines.open_cells import OpenCells
from wsgi_matrix.model.axes import Cell, Python
from wsgi_matrix.packaging import bundle
from wsgi_matrix.util.process_owner import owner

UIDS = range(20_000, 60_000, 2)
"""Uids of cells; the next one is for what runs next to the server.

RLIMIT_NPROC counts over the whole host, so concurrent cells must not share one. They are below
65536 because a rootless engine has no more.
"""

THREADS = 16
"""For work in parallel to a cell: its probe, its limits, removal of the previous cell."""


class DockerEngine:
    """Implements :class:`wsgi_matrix.engines.api.Engine`. Usable from several threads."""

    name = "docker"

    def __init__(self, root: Path, *, keep: bool = False) -> None:
        """``root``: directory for bundles and locks. ``keep``: preserve the containers of cells,
        for :meth:`keep_only`. Raises :class:`EngineError`.
        """
        self.client = connect()
        self._root = root
        info = self.client.info()
        self._info: dict[str, Any] = info
        self.version: str = info["ServerVersion"]
        product = engine_name(self.client.version())
        self.where = f"Linux containers of {product} {self.version} ({info['OperatingSystem']})"
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix=self.name)
        self._lock = threading.Lock()
        self._uids: set[int] = set()
        self._open = OpenCells()
        self._prepared = Prepared(self.client, root)
        self._labels = {RUN: f"{random.getrandbits(48):012x}", OWNER: owner()}
        self._keep = keep
        self._kept: dict[str, DockerRunning] = {}

    def prepare(self, cells: Sequence[Cell], phase: Callable[[str, str], None]) -> None:
        """See :class:`wsgi_matrix.engines.api.Engine`. Removes leftovers of dead runs first."""
        phase("images", "")
        if count := docker_clean.clean(self.client):
            phase("images", f"removed {count} leftovers of earlier runs")
        with bundle.in_use(self._root):
            self._prepared.make(cells, phase)

    def findings(self, python: Python, phase: Callable[[str, str], None]) -> Iterator[Finding]:
        """See :class:`wsgi_matrix.engines.api.Engine`. Raises :class:`SetupError`."""
        image = ensure_base(self.client, python, phase, self._root).reference
        yield from DockerDoctor(self.client, image).findings()

    @contextlib.contextmanager
    def open(self, cell: Cell) -> Iterator[DockerRunning]:
        """See :class:`wsgi_matrix.engines.api.Engine`. Requires :meth:`prepare` for ``cell``.

        On exit, its containers are killed; they are removed in the background, until
        :meth:`close` returns or the interpreter exits.
        """
        with self._cell(cell) as running:
            running.start()
            yield running

    def check(self, cell: Cell, words: Sequence[str]) -> tuple[int | None, str]:
        """See :class:`wsgi_matrix.engines.api.Engine`."""
        with self._cell(cell) as running:
            running.cell_environment.set_up()
            return commands.check(words, PYTHON, running.cell_environment.run)

    @contextlib.contextmanager
    def _cell(self, cell: Cell) -> Iterator[DockerRunning]:
        """A cell that is not started; on exit, its containers are removed or preserved."""
        parts = self._prepared.of(cell)
        with self._uid() as uid:
            labels = {**self._labels, KEEP: "yes"} if self._keep else self._labels
            running = DockerRunning(self.client, self._pool, cell, parts, uid=uid, labels=labels)
            try:
                self._open.add(running)
                yield running
            finally:
                self._open.discard(running)
                # The first error must be reported, not that the engine is unavailable.
                with contextlib.suppress(DockerException, OSError):
                    running.kill()
                ending = self._pool.submit(self._remove, running)
                if self._keep:
                    ending.exception()

    def _remove(self, running: DockerRunning) -> None:
        running.close()
        if self._keep:
            with self._lock:
                if (earlier := self._kept.get(running.cell_id)) is not None:
                    self._end(earlier)
                self._kept[running.cell_id] = running
        else:
            self._end(running)

    def _end(self, running: DockerRunning) -> None:
        remove_containers(self.client, running.containers)
        running.cell_environment.close()

    def keep_only(self, cells: Collection[str]) -> dict[str, tuple[str, ...]]:
        """See :class:`wsgi_matrix.engines.api.Engine`: ids, the server's container first."""
        with contextlib.suppress(DockerException, OSError):  # else all are preserved
            for cell in [cell for cell in self._kept if cell not in cells]:
                self._end(self._kept.pop(cell))
        return {cell: tuple(reversed(each.containers)) for cell, each in self._kept.items()}

    def identity(self, cell: Cell) -> tuple[str, ...]:
        """See :class:`wsgi_matrix.engines.api.Engine`. Names of volumes contain a digest."""
        parts = self._prepared.of(cell)
        return (self.name, parts.image.id, parts.base, parts.bundle_volume, parts.probe_volume)

    def installed(self, cell: Cell) -> dict[str, str]:
        """See :class:`wsgi_matrix.engines.api.Engine`."""
        return dict(self._prepared.of(cell).installed)

    def gone(self) -> str:
        """See :class:`wsgi_matrix.engines.api.Engine`."""
        try:
            self.client.ping()
        except (DockerException, OSError) as error:
            return str(error).splitlines()[0]
        return ""

    @contextlib.contextmanager
    def _uid(self) -> Iterator[int]:
        """A uid that no other cell of this process has; other processes choose randomly too."""
        with self._lock:
            uid = random.choice([uid for uid in UIDS if uid not in self._uids])  # noqa: S311 - not a secret
            self._uids.add(uid)
        try:
            yield uid
        finally:
            with self._lock:
                self._uids.discard(uid)

    def baseline(self, cell: Cell) -> dict[str, float]:
        """See :class:`wsgi_matrix.engines.api.Engine`."""
        parts = self._prepared.of(cell)
        return startup_baseline.measure(self.client, cell, parts, self._labels)

    def skip_reason(self, cell: Cell) -> str:
        """See :class:`wsgi_matrix.engines.api.Engine`."""
        if cell.limits.memory is not None and not self._info.get("MemoryLimit"):
            return "this Docker engine cannot limit memory (its memory cgroup is not enabled)"
        return ""

    def abort(self) -> None:
        """See :class:`wsgi_matrix.engines.api.Engine`."""
        self._open.kill()

    def clean(self) -> int:
        """See :class:`wsgi_matrix.engines.api.Engine`."""
        return docker_clean.clean(self.client, kept=True)

    def clean_cache(self) -> int:
        """See :class:`wsgi_matrix.engines.api.Engine`. Images remain; use `docker rmi`."""
        octets = bundle.remove_all(self._root)
        docker_clean.remove_volumes(self.client)
        return octets

    def close(self) -> None:
        """Wait for background work to end. The engine cannot be used afterwards."""
        self._pool.shutdown(wait=True)
        self.client.close()
