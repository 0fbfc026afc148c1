"""``/wrapper/NAME``: files in ``wsgi.file_wrapper``, which a server may have or not."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

from . import call_notes
from .response_helpers import json_response, text_response

PLAIN = ("Content-Type", "text/plain")
DIGITS = b"0123456789"
ALL = str(len(DIGITS))
"""Of a whole file, where no rule asks for the framing."""
ABSENT = b"no wsgi.file_wrapper"


class Readable:
    """As little of a file as the wrapper may ask for: ``read``. It counts the calls."""

    def __init__(self) -> None:
        self._file = io.BytesIO(DIGITS)
        self.calls = 0

    def read(self, size: int = -1) -> bytes:
        """As a file."""
        self.calls += 1
        return self._file.read(size)


class Closable(Readable):
    """With ``close``, which is noted."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = token

    def close(self) -> None:
        """Note it."""
        call_notes.note(self._token, "closed")


def in_memory() -> BinaryIO:
    """A file with a descriptor and ten digits in it, in no file system."""
    file = os.fdopen(os.memfd_create("digits"), "w+b")
    file.write(DIGITS)
    file.seek(0)
    return file


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Wrap what the name says; the query is the token."""
    name = str(environ["PATH_INFO"]).removeprefix("/wrapper/")
    wrap = environ.get("wsgi.file_wrapper")
    if wrap is None:
        return text_response(start_response, ABSENT)
    if name == "inspect":
        return json_response(start_response, inspect(wrap))
    if name == "close":
        call_notes.begin(str(environ["QUERY_STRING"]))
        return _send(wrap(Closable(str(environ["QUERY_STRING"])), 4), start_response)
    if name == "read":
        return _send(wrap(Readable(), 4), start_response, ALL)
    if name == "joined":
        return _send([b"".join(wrap(in_memory(), 4))], start_response, ALL)
    if name == "upper":
        blocks = (block.upper() for block in wrap(in_memory(), 4))
        return _send(blocks, start_response, ALL)
    file = io.BytesIO(DIGITS) if name.startswith("bytes") else in_memory()
    if "-from-4" in name:
        file.seek(4)
    length = {"bytes": ALL}.get(name, "4" if name.endswith("-first-4") else "")
    return _send(wrap(file, 8192), start_response, length)


def _send(
    blocks: Iterable[bytes], start_response: Callable[..., Any], length: str = ""
) -> Iterable[bytes]:
    start_response("200 OK", [PLAIN, *([("Content-Length", length)] if length else [])])
    return blocks


def inspect(wrap: Callable[..., Any]) -> dict[str, Any]:
    """What a wrapper is, without sending one."""
    plain, closable = Readable(), Closable("inspected")
    one, two = wrap(plain), wrap(closable, 8192)
    return {
        "read": plain.calls + closable.calls,
        "iterable": hasattr(one, "__iter__") or hasattr(one, "__getitem__"),
        "close": [hasattr(one, "close"), hasattr(two, "close")],
    }
