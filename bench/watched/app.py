"""The app of the folder that BENCH_APP names, and what its server does, as responses of its own.

``/closed`` tells how many of the app's iterables had a ``close()`` to be called, and how many calls
of it there were; ``/environ`` has the strings of the environ, as JSON.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

FOLDER = Path(os.environ["BENCH_APP"])
sys.path.insert(0, str(FOLDER))
_spec = importlib.util.spec_from_file_location("measured", FOLDER / "app.py")
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
sys.modules["measured"] = _module  # dataclasses, and Pyramid, look it up there
_spec.loader.exec_module(_module)

counts = {"due": 0, "done": 0}
_watched: set[type] = set()


def _watch(kind: Any) -> None:
    """Count the calls of ``kind.close``: the app's own type, so that no server sees another."""
    close = kind.close

    def counted(self: object) -> None:
        counts["done"] += 1
        close(self)

    kind.close = counted
    _watched.add(kind)


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """What the app in the folder answers, watched."""
    if environ["PATH_INFO"] == "/closed":
        body = b"%(due)d %(done)d" % {name.encode(): each for name, each in counts.items()}
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]
    if environ["PATH_INFO"] == "/environ":
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        found = {name: value for name, value in environ.items() if isinstance(value, str)}
        body = json.dumps(found).encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]
    iterable: Iterable[bytes] = _module.app(environ, start_response)
    kind = type(iterable)
    if kind.__module__ != "builtins" and hasattr(kind, "close"):
        if kind not in _watched:
            _watch(kind)
        counts["due"] += 1
    return iterable
