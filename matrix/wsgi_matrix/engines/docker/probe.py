"""The probe's container: in the server's network namespace, its job on stdin.

It has its own process namespace, so that a server that exits under load does not kill the probe.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import docker
from docker.errors import DockerException
from docker.types import LogConfig, Ulimit

from wsgi_matrix.engines.docker.containers import remove_containers
from wsgi_matrix.engines.docker.volumes import MOUNT
from wsgi_matrix.probe.protocol import WAITING

NOFILE = 4096
"""Descriptors for the probe: it needs one for each client of a burst."""

LARGEST_OUTPUT = 512 * 2**20
"""Maximum octets of a probe's output."""

WATCH = 0.1
"""Seconds between two checks of the server while the probe has written nothing."""


class ProbeContainer:
    """A probe that is created, then started, and then waits for its job."""

    def __init__(
        self,
        client: docker.APIClient,
        server: str,
        *,
        image: str,
        volume: str,
        uid: int,
        labels: dict[str, str],
    ) -> None:
        """Create it next to the container ``server``, which need not run yet."""
        self._client = client
        self.id: str = client.create_container(
            image,
            entrypoint=["python3", "-I", "-S", f"{MOUNT}/probe.pyz"],
            user=f"{uid}:{uid}",
            labels=labels,
            stdin_open=True,
            host_config=client.create_host_config(
                network_mode=f"container:{server}",
                read_only=True,
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                ulimits=[Ulimit(name="nofile", soft=NOFILE, hard=NOFILE)],
                binds={volume: {"bind": MOUNT, "mode": "ro"}},
                log_config=LogConfig(type="none"),
            ),
        )["Id"]
        # Attached before it starts, so that no output is missed.
        try:
            channel = client.attach_socket(
                self.id, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            )
        except (DockerException, OSError):
            # Podman prepares the container only now, which fails if the server has exited. Nothing
            # else refers to this container.
            remove_containers(client, [self.id])
            raise
        # A plain connection is wrapped in a reader that cannot send.
        self._socket: socket.socket = getattr(channel, "_sock", channel)
        self._keep: Any = channel  # closing the wrapper closes the connection

    def start(self) -> None:
        """Start it. Raises ``APIError`` if the server is not running."""
        self._client.start(self.id)

    def run(
        self,
        job: bytes,
        deadline: float,
        watch: Callable[[], None],
        waits: Callable[[], None] = lambda: None,
    ) -> tuple[bytes, bytes]:
        """Send the job and read the output: stdout and stderr.

        ``deadline``: in monotonic time; raises ``TimeoutError`` then.
        ``watch`` is called periodically until the first output, and may raise; ``waits`` when the
        probe reports that it is only waiting.
        """
        self._socket.settimeout(max(WATCH, deadline - time.monotonic()))
        try:
            self._socket.sendall(job)
            with contextlib.suppress(OSError, AttributeError):
                self._socket.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it exited before it read the job; its output can still be read
        stream = bytearray()
        reported = False
        while (part := self._receive(deadline, watch if not stream else None)) != b"":
            stream += part
            # Also found if it is split over two parts, without searching everything again.
            if not reported and WAITING in stream[-len(part) - len(WAITING) :]:
                reported = True
                waits()
            if len(stream) > LARGEST_OUTPUT:
                raise OverflowError(f"the probe wrote more than {LARGEST_OUTPUT} octets")
        return split_frames(bytes(stream))

    def _receive(self, deadline: float, watch: Callable[[], None] | None) -> bytes:
        """The next octets; empty at the end of the stream."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left if watch is None else min(left, WATCH))
            try:
                return self._socket.recv(2**20)
            except TimeoutError:
                if watch is not None:
                    watch()
            except ConnectionResetError:
                return b""

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            self._keep.close()
            self._socket.close()


def split_frames(stream: bytes) -> tuple[bytes, bytes]:
    """Stdout and stderr from an attached stream, whose frames have the stream's number, three
    zeros, the length in four octets, and the data (Docker Engine API, ContainerAttach).
    """
    parts: dict[int, list[bytes]] = {1: [], 2: []}
    position = 0
    while position + 8 <= len(stream):
        number, length = struct.unpack_from(">B3xI", stream, position)
        parts.setdefault(number, []).append(stream[position + 8 : position + 8 + length])
        position += 8 + length
    return b"".join(parts[1]), b"".join(parts[2])
