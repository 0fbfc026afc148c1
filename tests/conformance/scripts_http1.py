"""Scripts of servers that keep, and of servers that break, each rule of HTTP/1.1."""

from __future__ import annotations

from tests.conformance.scripted import FIN, Script, Wait

HEAD_END = Wait(b"\r\n\r\n")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
BAD = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

GREEN: dict[str, tuple[Script, ...]] = {
    "R13": ((HEAD_END, BAD, FIN),),
}
RED: dict[str, tuple[tuple[Script, ...], ...]] = {
    "R13": (((HEAD_END, OK),), ((HEAD_END, BAD),)),
}
