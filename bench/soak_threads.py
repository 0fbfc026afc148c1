"""Threads of one worker under many shapes of requests: is every response that of its request?

    python -m bench.soak_threads 20000

serves :mod:`bench.shapes` with ``--threads 8`` and an interpreter that switches threads each
microsecond, sends so many requests over 48 connections that are kept, dropped and pipelined, and
compares each response with what is due for its request, octet by octet, and each line of the access
log with it too. Exit status 1 if one is wrong.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path

from bench.shapes import SWITCH, Request, response, some_request

TOP = Path(__file__).resolve().parents[1]
CONNECTIONS = 48
SILENCE = 60.0
"""Seconds without any octet from the server after which nothing more is expected."""
MOST = 3600.0
"""Seconds of a run, whatever it has come to."""
_DATE = re.compile(rb"\r\nDate: ([^\r\n]*)\r\n")
_ACCESS = '%({onegate.request_id}e)s "%(r)s" %(s)s %(B)s'


@dataclass
class Outcome:
    """What came of it."""

    right: Counter[str] = field(default_factory=Counter)
    """Responses, by the kind of their request."""
    wrong: list[str] = field(default_factory=list)
    logged: int = 0
    """Lines of the access log that were compared."""
    seconds: float = 0.0

    @property
    def total(self) -> int:
        """Responses that were right."""
        return sum(self.right.values())


class Client:
    """One connection with what is under way on it."""

    def __init__(self, address: tuple[str, int], small: bool) -> None:
        self.sock = socket.socket()
        if small:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.connect(address)
        self.sock.setblocking(False)
        self.asked: list[tuple[Request, float]] = []
        self.keep = True
        """Whether the server is to keep the connection after what came last."""
        self.unsent = b""
        self.buffer = bytearray()

    def ask(self, *requests: Request) -> None:
        """Send requests, one behind the other."""
        now = time.time()
        self.asked += [(request, now) for request in requests]
        self.unsent += b"".join(request.octets() for request in requests)
        self.flush()

    def flush(self) -> None:
        """Send what the server takes."""
        try:
            self.unsent = self.unsent[self.sock.send(self.unsent) :]
        except BlockingIOError:
            return

    def answered(self) -> Iterator[tuple[Request, str]]:
        """The requests whose responses are here, each with what is wrong with it, or ''."""
        while self.asked and (end := self._end_of_heads()) >= 0:
            request, since = self.asked[0]
            found = _DATE.search(self.buffer, 0, end)
            date = found[1].decode("latin-1") if found else ""
            due = request.due(date)
            if len(self.buffer) < len(due) and due.startswith(self.buffer):
                return
            got = bytes(self.buffer[: len(due)])
            problem = ""
            if got != due:
                problem = difference(due, bytes(self.buffer[: len(due) + 200]))
            elif request.kind != "dated" and date not in dates(since):
                problem = f"Date: {date} for what was asked at {formatdate(since, usegmt=True)}"
            del self.asked[0], self.buffer[: len(due)]
            yield request, problem

    def _end_of_heads(self) -> int:
        end = self.buffer.find(b"\r\n\r\n")
        if self.buffer.startswith(b"HTTP/1.1 103"):
            end = self.buffer.find(b"\r\n\r\n", end + 4)
        return end


def dates(since: float) -> set[str]:
    """Every ``Date`` from then until now."""
    return {formatdate(second, usegmt=True) for second in range(int(since), int(time.time()) + 1)}


def difference(due: bytes, got: bytes) -> str:
    """Where they part."""
    at = next((i for i, (a, b) in enumerate(zip(due, got, strict=False)) if a != b), len(got))
    start = max(0, at - 60)
    return f"octet {at}: due {due[start : at + 60]!r}, got {got[start : at + 60]!r}"


class Load:
    """All clients of one run, in one thread."""

    def __init__(self, port: int, responses: int, seed: int, most: float) -> None:
        self._until = time.monotonic() + most
        self.outcome = Outcome()
        self.lines: Counter[str] = Counter()
        """Of the access log, as they are due for the responses that came."""
        self._address = ("127.0.0.1", port)
        self._dice = random.Random(seed)  # noqa: S311 - no secret
        self._left = responses
        self._number = 0
        self._poll = select.epoll()
        self._clients: dict[int, Client] = {}

    def run(self) -> Outcome:
        """Until all is answered, or the server is silent."""
        began = time.monotonic()
        for _ in range(CONNECTIONS):
            self._connect()
        while self._clients:
            events = self._poll.poll(SILENCE, 256)
            if not events:
                silent = [str(each.asked[:1]) for each in self._clients.values()]
                self.outcome.wrong.append(f"no octet for {SILENCE:g} s; there wait {silent[:3]}")
                break
            for fd, mask in events:
                self._ready(self._clients[fd], mask)
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    def _connect(self) -> None:
        client = Client(self._address, self._dice.random() < 0.2)
        self._clients[client.sock.fileno()] = client
        self._poll.register(client.sock, select.EPOLLIN)
        self._ask(client)

    def _ask(self, client: Client) -> None:
        """The next requests of a client, or its end."""
        if time.monotonic() > self._until:
            self._left = 0
        count = min(self._left, self._dice.choice((1, 1, 1, 1, 2, 3)))
        if not count:
            self._drop(client)
            return
        self._left -= count
        requests = []
        for _ in range(count):
            self._number += 1
            request = some_request(self._dice, f"r{self._number}")
            requests.append(request)
            if not request.keep:
                break
        self._left += count - len(requests)
        client.ask(*requests)
        self._watch(client)

    def _watch(self, client: Client) -> None:
        self._poll.modify(client.sock, select.EPOLLIN | ((client.unsent and select.EPOLLOUT) or 0))

    def _drop(self, client: Client) -> None:
        del self._clients[client.sock.fileno()]
        client.sock.close()

    def _ready(self, client: Client, mask: int) -> None:
        closed = False
        try:
            if mask & select.EPOLLOUT:
                client.flush()
                self._watch(client)
            if mask & ~select.EPOLLOUT:
                octets = client.sock.recv(65536)
                client.buffer += octets
                closed = not octets
        except BlockingIOError:
            pass
        except OSError as error:
            self._fail(client, repr(error))
            return
        for request, problem in client.answered():
            if problem:
                self._fail(client, f"{request}: {problem}")
                return
            self.outcome.right[request.kind] += 1
            if request.name:
                self.lines[line(request)] += 1
            client.keep = request.keep
        if closed and (client.asked or client.keep or client.buffer):
            self._fail(client, f"closed with {bytes(client.buffer[:200])!r}")
        elif closed:
            self._drop(client)
            if self._left:
                self._connect()
        elif client.keep and not client.asked:
            if client.buffer:
                self._fail(client, f"unasked: {bytes(client.buffer[:200])!r}")
            elif self._dice.random() < 0.02 and self._left:
                self._drop(client)
                self._connect()
            else:
                self._ask(client)

    def _fail(self, client: Client, problem: str) -> None:
        what = client.asked[0][0].path if client.asked else "nothing"
        self.outcome.wrong.append(f"(then waiting for {what}) {problem}"[:1000])
        self._drop(client)
        if self._left:
            self._connect()


def line(request: Request) -> str:
    """The access log's line of a request that bears a name."""
    status, _, content = response(
        request.kind, request.size, request.path, request.name, request.content
    )
    octets = 0 if request.method == "HEAD" else len(content)
    asked = f"{request.method} {request.path} HTTP/1.{request.minor}"
    return f'{request.name} "{asked}" {status[:3]} {octets}'


class Served:
    """``bench.shapes`` behind onegate."""

    def __init__(self, folder: Path, threads: int, switch: str) -> None:
        self._log = folder / "log"
        self.access = folder / "access"
        options = ["--bind", "127.0.0.1:0", "--threads", str(threads)]
        options += ["--access-log", _ACCESS, "--access-logfile", str(self.access)]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "onegate", "bench.shapes:app", *options],
                cwd=TOP,
                env={**os.environ, "PYTHONPATH": f"{TOP}:{TOP / 'server'}", SWITCH: switch},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def log(self) -> str:
        """All that it said."""
        return self._log.read_text(errors="backslashreplace")

    def port(self) -> int:
        """Where it listens. Raises ``TimeoutError``."""
        until = time.monotonic() + SILENCE
        while not (match := re.search(r"listens on http://127\.0\.0\.1:(\d+)", self.log)):
            if time.monotonic() > until or self.process.poll() is not None:
                raise TimeoutError(self.log)
            time.sleep(0.02)
        return int(match[1])

    def stop(self) -> int:
        """TERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(SILENCE)
        finally:
            self.process.kill()


def soak_threads(
    responses: int,
    folder: Path,
    *,
    threads: int = 8,
    seed: int = 0,
    switch: str = "interval",
    most: float = MOST,
) -> Outcome:
    """The whole run; ``folder`` is for logs. ``switch``: see :data:`bench.shapes.SWITCH`.

    ``most``: seconds after which nothing more is asked.
    """
    served = Served(folder, threads, switch)
    try:
        load = Load(served.port(), responses, seed, most)
        outcome = load.run()
    finally:
        status = served.stop()
    if status:
        outcome.wrong.append(f"exit status {status}")
    lines = served.access.read_text().splitlines()
    logged = Counter(each for each in lines if each.startswith("r"))
    outcome.logged = sum(logged.values())
    if not outcome.wrong:
        # What a client has dropped had no response due, but each line is that of a request.
        for each in (load.lines - logged, logged - load.lines):
            outcome.wrong += [f"access log: {text}: {count}" for text, count in each.items()][:20]
    raised = served.log.count("KeyError while handling")
    if not outcome.wrong and raised != outcome.right["raises"]:
        outcome.wrong.append(f"{raised} tracebacks for {outcome.right['raises']} failed calls")
    return outcome


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak_threads", description="see module")
    parser.add_argument("responses", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--switch", choices=("interval", "opcodes"), default="interval")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-threads-") as folder:
        outcome = soak_threads(
            arguments.responses,
            Path(folder),
            threads=arguments.threads,
            seed=arguments.seed,
            switch=arguments.switch,
        )
    print(f"{outcome.total:,} responses right in {outcome.seconds:.0f} s: {dict(outcome.right)}")
    print(f"{outcome.logged:,} lines of the access log compared")
    for each in outcome.wrong[:20]:
        print(f"wrong: {each}")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
