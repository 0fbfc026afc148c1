"""The load client: many connections held at once, from one process or several.

python lessons/client.py --port 8000 --max-clients 4 --max-conns 50

First everybody connects, then everybody sends, then the answers are read to their end: where the
server closes, or after the octets that Content-Length tells. What came of it is counted.
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import re
import socket
import time
from collections import Counter
from multiprocessing import get_context
from pathlib import Path

REQUEST = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"


def why(problem: OSError) -> str:
    """``EMFILE`` and the like, or ``timed out``."""
    return errno.errorcode.get(problem.errno or 0, "timed out")


def connect(options: argparse.Namespace, seen: Counter[str]) -> list[socket.socket]:
    """Up to ``--max-conns`` connections, all of them open at the end."""
    connections = []
    for _ in range(options.max_conns):
        try:
            address = ("127.0.0.1", options.port)
            connections.append(socket.create_connection(address, timeout=options.connect_timeout))
        except OSError as problem:
            seen[f"not connected: {why(problem)}"] += 1
    return connections


def is_whole(data: bytes) -> bool:
    """True if Content-Length says that this is all."""
    head, _, content = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
    return length is not None and len(content) >= int(length[1])


def read(connection: socket.socket, until: float) -> tuple[str, bytes]:
    """Read to the end; say what it was, and what was read."""
    data = b""
    try:
        while not is_whole(data):
            connection.settimeout(max(until - time.monotonic(), 0.001))
            if not (piece := connection.recv(65536)):
                break
            data += piece
    except OSError as problem:
        return f"{'answered' if data else 'no answer'}, then {why(problem)}", data
    return "answered" if data else "closed without an answer", data


def client(options: argparse.Namespace) -> Counter[str]:
    """One client with all of its connections."""
    seen: Counter[str] = Counter()
    connections = connect(options, seen)
    time.sleep(options.hold)
    for connection in connections:
        try:
            connection.sendall(REQUEST % options.path.encode())
        except OSError:
            continue  # reading tells what became of it
    until = time.monotonic() + options.timeout
    for connection in connections:
        what, data = read(connection, until)
        seen[what] += 1
        if data:
            masked = re.sub(rb"\nDate: [^\r]*", b"", data)
            seen[f"answers of SHA-256 {hashlib.sha256(masked).hexdigest()[:12]}"] += 1
        connection.close()
    return seen


def wait_for_server(port: int) -> None:
    """Until somebody listens there, as told by the kernel: to connect would be one client more."""
    until = time.monotonic() + 30
    while f":{port:04X} 00000000:0000 0A" not in Path("/proc/net/tcp").read_text():
        if time.monotonic() > until:
            raise SystemExit(f"nobody listens on port {port}")
        time.sleep(0.01)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", default="/hello")
    parser.add_argument("--max-clients", type=int, default=1, help="processes")
    parser.add_argument("--max-conns", type=int, default=1, help="connections in each of them")
    parser.add_argument("--rounds", type=int, default=1, help="how often, one after the other")
    parser.add_argument("--hold", type=float, default=0.0, help="seconds of silence before asking")
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds to wait for answers")
    parser.add_argument("--connect-timeout", type=float, default=5.0)
    options = parser.parse_args()
    wait_for_server(options.port)
    started = time.monotonic()
    seen: Counter[str] = Counter()
    for _ in range(options.rounds):
        if options.max_clients == 1:
            seen += client(options)
            continue
        with get_context("fork").Pool(options.max_clients) as pool:
            for found in pool.map(client, [options] * options.max_clients):
                seen += found
    for what, count in sorted(seen.items()):
        print(f"{count:5} {what}")
    print(f"      {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
