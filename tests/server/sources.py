"""Texts of small apps, and the requests to them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.server.helpers import wait_for

if TYPE_CHECKING:
    from pathlib import Path

ASK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
PID = """
import os

def app(environ, start_response):
    content = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Length", str(len(content)))])
    return [content]
"""
"""Answers with the number of its process."""
VERSION = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "1")])
    return [b"{}"]
"""
"""To be formatted with what it answers, one letter."""
GATE = """
from pathlib import Path

def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    if environ["PATH_INFO"] == "/hang":
        Path("called").touch()
        Path("gate").read_bytes()
    return [b"ok"]
"""
"""``/hang`` does not return before ``gate`` was opened for writing."""
HANG = b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n"


def gate(folder: Path) -> None:
    """Make the gate of :data:`GATE`."""
    os.mkfifo(folder / "gate")


def called(folder: Path) -> None:
    """Wait until a call of :data:`GATE` hangs."""
    wait_for((folder / "called").exists, "the call")
