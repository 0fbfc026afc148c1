"""One listening socket for all workers (EPOLLEXCLUSIVE) against one for each (SO_REUSEPORT).

The least server that accepts: two forked workers, an answer a connection. Measured are how evenly
connections are spread, how long clients wait while one worker of two is busy, and how many
connections are lost when workers are replaced under load. With ``--docs`` the figures go into
``docs/operation.md``.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import select
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

from docs.generate import blocks

TOP = Path(__file__).resolve().parents[1]
WORKERS, CLIENTS, RELOADS, ROUNDS = 2, 8, 20, 400
BUSY = 0.2
Address = tuple[str, int]


def listener(address: Address, *, shared: bool) -> socket.socket:
    """A listening socket, one of several on the same port if it is not shared."""
    sock = socket.socket()
    if not shared:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(address)
    sock.listen(1024)
    sock.setblocking(False)
    return sock


def worker(sock: socket.socket) -> NoReturn:
    """Answer each connection with this process's number; ``b`` keeps it busy for a while."""
    over: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: over.append(1))
    epoll = select.epoll()
    epoll.register(sock, select.EPOLLIN | select.EPOLLEXCLUSIVE)
    while not over:
        epoll.poll(0.05)
        with contextlib.suppress(OSError):
            for _ in range(16):
                client, _address = sock.accept()
                with client, contextlib.suppress(OSError):
                    client.settimeout(1)
                    if client.recv(1) == b"b":
                        time.sleep(BUSY)
                    client.sendall(b"%d" % os.getpid())
    os._exit(0)


class Service:
    """The workers and their sockets."""

    def __init__(self, *, shared: bool) -> None:
        self._shared = shared
        self._own = listener(("127.0.0.1", 0), shared=shared)
        self.address: Address = self._own.getsockname()
        if not shared:
            # Only a reservation of the port: in its queue nobody would be answered.
            self._own.close()
        self._pids = [self._start() for _ in range(WORKERS)]

    def _start(self) -> int:
        sock = self._own if self._shared else listener(self.address, shared=False)
        pid = os.fork()
        if not pid:
            worker(sock)
        if not self._shared:
            sock.close()
        return pid

    def reload(self) -> None:
        """New workers first, then the old ones end."""
        old, self._pids = self._pids, [self._start() for _ in range(WORKERS)]
        self._end(old)

    def _end(self, pids: list[int]) -> None:
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        for pid in pids:
            os.waitpid(pid, 0)

    def stop(self) -> None:
        """End all."""
        self._end(self._pids)
        self._own.close()


def ask(address: Address, word: bytes = b"a") -> str:
    """The number of the worker that answered. Raises ``OSError``."""
    with socket.create_connection(address, 5) as sock:
        sock.sendall(word)
        answer = sock.recv(100)
    if not answer:
        raise ConnectionError("no answer")
    return answer.decode()


def spread(service: Service) -> float:
    """Share of the worker that answered more, with 8 clients at a time."""
    seen: list[str] = []
    threads = [
        threading.Thread(target=lambda: seen.extend(ask(service.address) for _ in range(ROUNDS)))
        for _ in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(seen.count(pid) for pid in set(seen)) / len(seen)


def behind_a_busy_one(service: Service) -> float:
    """Share of clients that wait for more than half of a call while one of two workers is in it."""
    late = total = 0
    for _ in range(10):
        busy = threading.Thread(target=ask, args=(service.address, b"b"))
        busy.start()
        time.sleep(0.02)
        began = time.monotonic()
        waits: list[float] = []

        def one(waits: list[float] = waits, began: float = began) -> None:
            ask(service.address)
            waits.append(time.monotonic() - began)

        threads = [threading.Thread(target=one) for _ in range(10)]
        for thread in (*threads, busy):
            if thread is not busy:
                thread.start()
        for thread in (*threads, busy):
            thread.join()
        late += sum(wait > BUSY / 2 for wait in waits)
        total += len(waits)
    return late / total


def lost(service: Service) -> tuple[int, int]:
    """Connections lost, of how many, over twenty replacements of all workers under load."""
    over = threading.Event()
    results: list[bool] = []

    def client() -> None:
        while not over.is_set():
            try:
                ask(service.address)
                results.append(True)
            except OSError:
                results.append(False)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for _ in range(RELOADS):
        time.sleep(0.1)
        service.reload()
    over.set()
    for thread in threads:
        thread.join()
    return results.count(False), len(results)


def measure(*, shared: bool) -> list[str]:
    """One column of the table."""
    service = Service(shared=shared)
    try:
        time.sleep(0.2)
        most, late = spread(service), behind_a_busy_one(service)
        gone, total = lost(service)
    finally:
        service.stop()
    return [f"{most:.0%}", f"{late:.0%}", f"{gone} of {total:,}"]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.accepting", description="see the module")
    parser.add_argument("--docs", action="store_true", help="write docs/operation.md too")
    arguments = parser.parse_args()
    names = [
        "share of the busier of two workers, 8 clients without pauses",
        f"clients that wait behind a call of {BUSY:g} s while the other worker is free",
        f"connections lost in {RELOADS} reloads, 8 clients without pauses",
    ]
    columns = [measure(shared=True), measure(shared=False)]
    lines = [
        "| | one socket for all, `EPOLLEXCLUSIVE` | one socket each, `SO_REUSEPORT` |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {a} | {b} |" for name, a, b in zip(names, *columns, strict=True)]
    where = f"{platform.system()} {platform.release().split('-')[0]}, {os.cpu_count()} processors"
    lines += ["", f"{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {where}.", ""]
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if arguments.docs:
        manual = TOP / "docs" / "operation.md"
        manual.write_text(blocks.fill(manual.read_text(), "accepting", text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
