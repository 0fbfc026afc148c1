"""Provides the app environment of a container cell: services, directories, secrets, setup.

Service containers and the server share one network namespace with nothing but loopback: names
resolve to it, nothing else is reachable, and it works on every engine, even remote and rootless
ones. Directories are volumes of the cell, which are removed with it.
"""

from __future__ import annotations

import contextlib
import io
import shlex
import tarfile
import time
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.types import LogConfig

from wsgi_matrix.engines import commands
from wsgi_matrix.engines.docker.client import LABEL, inspect_image
from wsgi_matrix.engines.docker.containers import last_lines, remove_containers
from wsgi_matrix.engines.docker.volumes import MOUNT, said
from wsgi_matrix.errors import CellError
from wsgi_matrix.model.app_environment import SECRETS, Service
from wsgi_matrix.model.axes import Cell

PYTHON = "python3"
"""The interpreter in every server image."""
SERVICE_DEADLINE = 60.0
"""Seconds until a service listens."""

ENVIRONMENT = {**commands.VARIABLES, "PYTHONPATH": f"{MOUNT}/app:{MOUNT}/own:{MOUNT}/lib"}
SCRIPTS = (f"{MOUNT}/own/bin", f"{MOUNT}/lib/bin")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""The default PATH of an image that sets none, as in the engine."""
FOLDER = f"{MOUNT}/app"
"""The working directory of the app's commands."""
TEMPORARY = "/dev/shm"  # noqa: S108 - the one directory that is always writable
WAIT = """
import socket, sys, time
for port in sys.argv[2:]:
    while True:
        try:
            socket.create_connection((sys.argv[1], int(port)), 1).close()
            break
        except OSError:
            time.sleep(0.05)
"""


class CellEnvironment:
    """The app environment of one cell. :meth:`set_up` creates it, :meth:`close` removes it."""

    def __init__(
        self,
        client: docker.APIClient,
        cell: Cell,
        *,
        image: str,
        base: str,
        bundle_volume: str,
        uid: int,
        labels: Mapping[str, str],
    ) -> None:
        """``image``: of the server, for setup commands; ``base``: a Python, for internal ones."""
        self._client, self._cell, self._wanted = client, cell, cell.app.needs
        self._image, self._base, self._uid = image, base, uid
        self._labels = {**labels, LABEL: "environment"}
        self._containers: list[str] = []
        self._volumes: list[str] = []
        self.network = "none"
        """Network mode of the server."""
        self.binds: dict[str, Any] = {bundle_volume: {"bind": MOUNT, "mode": "ro"}}
        self.environment = {
            **ENVIRONMENT,
            "PATH": self._path(),
            **({"TMPDIR": TEMPORARY} if cell.private_tmp else {}),
            **self._wanted.variables(**self._places()),
        }

    def _path(self) -> str:
        """PATH, with the scripts of the app's requirements before those of the image."""
        config = (inspect_image(self._client, self._image) or {}).get("Config") or {}
        variables = dict(each.partition("=")[::2] for each in config.get("Env") or ())
        return ":".join((*SCRIPTS, variables.get("PATH") or PATH))

    def _places(self) -> dict[str, str]:
        return {
            "writable": self._wanted.writable or TEMPORARY,
            "secrets": SECRETS,
            "python": PYTHON,
        }

    def set_up(self) -> None:
        """Create everything and run the setup commands. Raises :class:`CellError`."""
        try:
            for service in self._wanted.services:
                self._start(service)
            if self._wanted.secrets:
                files = {name: path.read_bytes() for name, path in self._wanted.secrets}
                self._volume("secrets", SECRETS, "ro", files)
            if self._wanted.writable:
                self._volume("writable", self._wanted.writable, "rw", {})
        except (DockerException, OSError) as error:
            raise CellError(f"the cell could not be set up: {said(error)}") from error
        commands.set_up(self._wanted.commands(**self._places()), self.run)

    def run(self, words: Sequence[str], seconds: float) -> tuple[int, str]:
        """Run a command in the server's image and environment; return its exit status and log.

        Raises :class:`CellError` if it cannot be run or has not ended after ``seconds``.
        """
        return self._ended(self._image, words, seconds, self.environment)

    def _ended(
        self, image: str, words: Sequence[str], seconds: float, environment: dict[str, str]
    ) -> tuple[int, str]:
        try:
            container = self._create(
                image,
                entrypoint=[words[0]],
                command=list(words[1:]),
                user=f"{self._uid}:{self._uid}",
                working_dir=FOLDER,
                environment=environment,
                host_config=self._client.create_host_config(
                    network_mode=self.network,
                    read_only=True,
                    cap_drop=["ALL"],
                    security_opt=["no-new-privileges"],
                    binds=self.binds,
                    log_config=LogConfig(type="json-file"),
                ),
            )
            self._client.start(container)
            until = time.monotonic() + seconds
            while (state := self._client.inspect_container(container)["State"])["Running"]:
                if time.monotonic() > until:
                    raise commands.timed_out(words, seconds, last_lines(self._client, container))
                self._raise_if_service_ended()
                time.sleep(0.02)
            return int(state["ExitCode"]), last_lines(self._client, container)
        except (DockerException, OSError) as error:
            raise CellError(f"{shlex.join(words)} could not be run: {said(error)}") from error

    def _start(self, service: Service) -> None:
        """Start the container of ``service`` and wait until it listens."""
        first = self.network == "none"
        names = {each.name: "127.0.0.1" for each in self._wanted.services}
        container = self._create(
            service.image,
            command=list(service.command) or None,
            environment=dict(service.environment),
            host_config=self._client.create_host_config(
                network_mode=self.network,
                extra_hosts=names if first else None,
                security_opt=["no-new-privileges"],
                log_config=LogConfig(type="json-file"),
            ),
        )
        self._client.start(container)
        if first:
            self.network = f"container:{container}"
        ports = [str(service.port)] if service.port else self._exposed(service.image)
        if ports:
            words = [PYTHON, "-I", "-S", "-c", WAIT, service.name, *ports]
            try:
                self._ended(self._base, words, SERVICE_DEADLINE, {})
            except CellError as problem:
                self._raise_if_service_ended()
                raise CellError(
                    f"{service.name} ({service.image}) did not listen on {', '.join(ports)} within "
                    f"{SERVICE_DEADLINE:g} s",
                    last_lines(self._client, container) or problem.log,
                ) from None

    def _exposed(self, image: str) -> list[str]:
        found = inspect_image(self._client, image) or {}
        ports = (found.get("Config") or {}).get("ExposedPorts") or {}
        return [name.partition("/")[0] for name in ports if not name.endswith("/udp")]

    def _raise_if_service_ended(self) -> None:
        """Raise :class:`CellError` if the container of a service has exited."""
        for service, container in zip(self._wanted.services, self._containers, strict=False):
            state = self._client.inspect_container(container)["State"]
            if not state["Running"]:
                text = f"{service.name} ({service.image}) exited"
                raise CellError(text, last_lines(self._client, container), int(state["ExitCode"]))

    def _volume(self, kind: str, path: str, mode: str, files: Mapping[str, bytes]) -> None:
        """Create a volume for this cell; its root and ``files`` belong to the cell's user."""
        name = self._client.create_volume(labels=self._labels)["Name"]
        self._volumes.append(name)
        # Never started. Extracting the mount point itself sets the owner of the volume's root.
        filler = self._create(
            self._base,
            command=["true"],
            host_config=self._client.create_host_config(
                network_mode="none", binds={name: {"bind": MOUNT, "mode": "rw"}}
            ),
        )
        target = io.BytesIO()
        with tarfile.open(fileobj=target, mode="w") as archive:
            folder = tarfile.TarInfo(MOUNT.lstrip("/"))
            folder.type, folder.mode = tarfile.DIRTYPE, 0o700
            folder.uid = folder.gid = self._uid
            archive.addfile(folder)
            for each, content in files.items():
                entry = tarfile.TarInfo(f"{MOUNT.lstrip('/')}/{each}")
                entry.size, entry.mode, entry.uid, entry.gid = len(content), 0o400, *[self._uid] * 2
                archive.addfile(entry, io.BytesIO(content))
        self._client.put_archive(filler, "/", target.getvalue())
        self.binds[name] = {"bind": path, "mode": mode}

    def _create(self, image: str, **settings: Any) -> str:
        found = self._client.create_container(image, labels=self._labels, **settings)
        self._containers.append(str(found["Id"]))
        return self._containers[-1]

    @property
    def places(self) -> frozenset[str]:
        """Paths that the engine creates in the root, as mount points or working directories."""
        paths = [PurePosixPath(each["bind"]) for each in self.binds.values()]
        paths.append(PurePosixPath(FOLDER))
        return frozenset(str(part) for path in paths for part in (path, *path.parents))

    def kill(self) -> None:
        """Kill what runs, from any thread."""
        for container in list(self._containers):
            with contextlib.suppress(APIError):
                self._client.kill(container)

    def close(self) -> None:
        """Remove everything. The server must have exited."""
        remove_containers(self._client, self._containers)
        for name in self._volumes:
            with contextlib.suppress(NotFound):
                self._client.remove_volume(name)
