"""A scripted server: it sends the octets that a test gives it, and breaks just what it is
to break. Every rule is shown red against one, and green against another.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wsgi_matrix.model.wire import Step, Transcript, WireEvent
from wsgi_matrix.probe.agent import scenario_run
from wsgi_matrix.probe.protocol import step_to_json

FIN, CUT, RST, HANG, DEAF = "fin", "cut", "rst", "hang", "deaf"
"""What a script may do besides sending: close but go on reading, close at once, reset, keep silent
until the client is gone, or refuse all connections from now on."""


@dataclass(frozen=True)
class Wait:
    """Read until these octets have come (or the client's end)."""

    octets: bytes


@dataclass(frozen=True)
class Only:
    """Read a head, and keep silent from then on unless these octets are in it: for connections
    that come in no order."""

    octets: bytes


@dataclass(frozen=True)
class Pause:
    """Nothing for so many seconds: what a slow app does."""

    seconds: float


Script = Sequence[bytes | str | Wait | Only | Pause]
"""What is done on one connection, in order. Octets are sent. At the end of a script the server
waits for the client's end and closes, as a server that keeps a connection open does."""


def _play(connection: socket.socket, script: Script, listener: socket.socket) -> None:
    received = bytearray()
    connection.settimeout(120)

    def read_until(octets: bytes | None) -> None:
        while octets is None or octets not in received:
            data = connection.recv(65536)
            if not data:
                return
            received.extend(data)

    with contextlib.suppress(OSError), connection:
        for item in script:
            match item:
                case Wait(octets):
                    read_until(octets)
                    # What is waited for again is awaited anew.
                    del received[: received.find(octets) + len(octets)]
                case Only(octets):
                    read_until(b"\r\n\r\n")
                    if octets not in received:
                        break
                case Pause(seconds):
                    time.sleep(seconds)
                case bytes():
                    connection.sendall(item)
                case "fin":
                    connection.shutdown(socket.SHUT_WR)
                case "cut":
                    return
                case "rst":
                    linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    return
                case "deaf":
                    listener.shutdown(socket.SHUT_RDWR)
                case "hang":
                    break
        read_until(None)


@contextlib.contextmanager
def scripted(*scripts: Script) -> Iterator[int]:
    """A server's port; the n-th connection gets the n-th script, the last one all others."""
    listener = socket.create_server(("127.0.0.1", 0))
    # Where scenarios about the stop meet an app that has been called: here it always has.
    app = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    app.bind(scenario_run.meeting_place(listener.getsockname()[1]))
    app.listen()

    def accept() -> None:
        with contextlib.suppress(OSError):
            number = 0
            while True:
                connection, _ = listener.accept()
                script = scripts[min(number, len(scripts) - 1)]
                number += 1
                threading.Thread(
                    target=_play, args=(connection, script, listener), daemon=True
                ).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):  # a script may have done so
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        app.close()
        thread.join(60)


def run_scenario(name: str, steps: Sequence[Step], *scripts: Script) -> Transcript:
    """The transcript of a scenario with a scripted server, by the probe's own code."""
    with scripted(*scripts) as port:
        ran = scenario_run.ScenarioRun("127.0.0.1", port, [step_to_json(step) for step in steps])
        ran.run(time.monotonic() + 120)
    return Transcript(
        name=name,
        events=tuple(
            WireEvent(at=at, on=on, what=what, data=data) for at, on, what, data in ran.events
        ),
    )
