"""Which rules of HTTP and of WSGI does a server keep? A few that clients and applications feel.

python lessons/rules.py python3 lessons/lesson02_wsgi.py rules:app --port 8002

The words after rules.py start a server, with ``app`` below as its application; the last of them
ends in a port. It is started anew for each rule, because some servers do not outlive one, and on
the next ports too, for several rules at a time.
"""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from client import wait_for_server

PATIENCE = 10.0
"""Seconds without a word after which nothing more is waited for."""

PAUSE = 2.0
"""Seconds between two pieces: long enough that a server sees the first alone."""


CLOSED = "content closed"


class Body:
    """Content that wants to be closed, and says on stderr that it was."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"closable"

    def close(self) -> None:
        print(CLOSED, file=sys.stderr, flush=True)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """One WSGI application, with a path for each rule."""
    path = environ["PATH_INFO"]
    if path == "/raises":
        raise RuntimeError("meant")
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    match path:
        case "/echo":
            return [b"<" + environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0)) + b">"]
        case "/chunked":
            return [b"<" + environ["wsgi.input"].read() + b">"]
        case "/field":
            return [environ.get("HTTP_X_NAME", "none").encode()]
        case "/two":
            return [b"one ", b"two"]
        case "/str":
            return ["a str is not bytes"]
        case "/write":
            write(b"written")
            return []
        case "/close":
            return Body()
    return [path.encode("latin-1")]


class Rule(NamedTuple):
    """``says`` what has to be (where it stands); ``sent`` in pieces; what is found when kept."""

    says: str
    where: str
    sent: tuple[bytes, ...]
    kept: str
    """Regular expression for all that was answered, or ``CLOSED``."""


def get(path: str, more: str = "", method: str = "GET", last: bool = True) -> bytes:
    """A request, after which the server is asked to close: so we know when it has said all."""
    close = "Connection: close\r\n" if last else ""
    return f"{method} {path} HTTP/1.1\r\nHost: a\r\n{close}{more}\r\n".encode()


OK, BAD, FAILED = r"\AHTTP/1\.1 200 ", r"\AHTTP/1\.1 400 ", r"\AHTTP/1\.1 500 "
RULES = (
    Rule("a request is answered", "RFC 9112, 4", (get("/a"),), OK + r".*\r\n\r\n.*/a"),
    Rule("so is one in two segments", "RFC 9112, 2.2",
         (get("/a")[:2], get("/a")[2:]), OK + r".*\r\n\r\n.*/a"),
    Rule("content reaches the application", "PEP 3333, input",
         (get("/echo", "Content-Length: 2\r\n", "POST") + b"hi",), "<hi>"),
    Rule("also if it comes later", "PEP 3333, input",
         (get("/echo", "Content-Length: 2\r\n", "POST"), b"hi"), "<hi>"),
    Rule("chunked content too", "RFC 9112, 7.1",
         (get("/chunked", "Transfer-Encoding: chunked\r\n", "POST"), b"2\r\nhi\r\n0\r\n\r\n"),
         "<hi>"),
    Rule("header fields are in the environ", "PEP 3333, environ",
         (get("/field", "X-Name: Ada\r\n"),), r"\r\n\r\n.*Ada"),
    Rule("a path is %-decoded", "RFC 3875, 4.1.5", (get("/%61%62"),), r"\r\n\r\n.*/ab"),
    Rule("all blocks of an answer are sent", "PEP 3333, iterable", (get("/two"),), "one .*two"),
    Rule("write() writes", "PEP 3333, write()", (get("/write"),), "written"),
    Rule("close() is called", "PEP 3333, close()", (get("/close"),), CLOSED),
    Rule("a str is an error: 500", "PEP 3333, strings", (get("/str"),), FAILED),
    Rule("an application that raises: 500", "RFC 9110, 15.6.1", (get("/raises"),), FAILED),
    Rule("an answer to HEAD has no content", "RFC 9110, 9.3.2",
         (get("/a", method="HEAD"),), OK + r"(?:(?!\r\n\r\n).)*\r\n\r\n\0"),
    Rule("an answer has a Date", "RFC 9110, 6.6.1", (get("/a"),), OK + r".*\r\nDate: "),
    Rule("two requests on one connection", "RFC 9112, 9.3",
         (get("/a", last=False), get("/b")), "200 .*/a.*200 .*/b"),
    Rule("Expect: 100-continue is answered", "RFC 9110, 10.1.1",
         (get("/echo", "Content-Length: 2\r\nExpect: 100-continue\r\n", "POST"), b"hi"),
         r"\AHTTP/1\.1 100 .*<hi>"),
    Rule("no Host: 400", "RFC 9112, 3.2", (b"GET /a HTTP/1.1\r\n\r\n",), BAD),
    Rule("no request line: 400", "RFC 9112, 3", (b"hello\r\n\r\n",), BAD),
    Rule("a space before the colon: 400", "RFC 9112, 5.1", (get("/a", "X-Name : b\r\n"),), BAD),
    Rule("two lengths: 400", "RFC 9112, 6.3",
         (get("/echo", "Content-Length: 2\r\nContent-Length: 3\r\n", "POST") + b"hi!",), BAD),
)  # fmt: skip


def ask(port: int, sent: tuple[bytes, ...]) -> bytes:
    """Send the pieces, each in a segment of its own, and take all that comes."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        try:
            for piece in sent:
                connection.sendall(piece)
                # A server that is told of the first piece only may answer that; we wait for it.
                if piece is not sent[-1] and select.select([connection], [], [], PAUSE)[0]:
                    answer += connection.recv(65536)
            while piece := connection.recv(65536):
                answer += piece
        except OSError:
            pass  # nothing more comes, or it was reset: what came is judged
    return answer


def is_kept(number: int, rule: Rule, command: list[str]) -> bool:
    """Start the server, ask it, end it."""
    here = str(Path(__file__).parent)
    path = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH", "")]))
    before, port = re.fullmatch(r"(.*?)(\d+)", command[-1]).groups()  # type: ignore[union-attr]
    port = int(port) + number
    server = subprocess.Popen(
        [*command[:-1], f"{before}{port}"],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        wait_for_server(port)
        answer = ask(port, rule.sent)
    finally:
        os.killpg(server.pid, signal.SIGKILL)  # it has nothing to save, and some take their time
        _, said = server.communicate(timeout=30)
    seen = (said if rule.kept == CLOSED else answer + b"\0").decode("latin-1")
    return bool(re.search(rule.kept, seen, re.DOTALL))


def judge(command: list[str]) -> dict[Rule, bool]:
    """All rules, on the server that ``command`` starts."""
    with ThreadPoolExecutor(5) as pool:
        kept = pool.map(is_kept, range(len(RULES)), RULES, [command] * len(RULES))
        return dict(zip(RULES, kept, strict=True))


def main() -> None:
    results = judge(sys.argv[1:])
    for rule, kept in results.items():
        print(f"{'kept' if kept else 'BROKEN':6}  {rule.says} ({rule.where})")
    print(f"{sum(results.values())} of {len(results)} rules kept")


if __name__ == "__main__":
    main()
