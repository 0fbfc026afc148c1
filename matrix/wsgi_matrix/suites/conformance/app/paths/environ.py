"""``/environ``: the environ as JSON. The app leaves a mark in it, which later calls must not see.

``text``: its native strings; ``types``: the type of every value; ``odd``: keys that are not native
strings, and CGI variables (no dot in the name) that are not either; ``kind``: its own type;
``marked``: whether an earlier call's mark was in it; ``imported``: a number that a second import
would change; ``own``: keys that are not in the process's environment, which a server may mix in;
``lacks``: methods that ``wsgi.input`` and ``wsgi.errors`` lack; ``version``: ``repr`` of
``wsgi.version``.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from .response_helpers import json_response

IMPORTED = uuid.uuid4().hex
MARK = "rules.mark"
STREAMS = {
    "wsgi.input": ("read", "readline", "readlines", "__iter__"),
    "wsgi.errors": ("flush", "write", "writelines"),
}


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Report it."""
    report = {
        "kind": type(environ).__name__,
        "marked": MARK in environ,
        "imported": IMPORTED,
        "text": {str(key): value for key, value in environ.items() if type(value) is str},
        "types": {str(key): type(value).__name__ for key, value in environ.items()},
        "odd": [repr(key) for key, value in environ.items() if _odd(key, value)],
        "own": [key for key in environ if key not in os.environ],
        "lacks": [
            f"{stream}.{method}"
            for stream, methods in STREAMS.items()
            for method in methods
            if not callable(getattr(environ.get(stream), method, None))
        ],
        "version": repr(environ.get("wsgi.version")),
        "flags": {
            name: bool(environ[name])
            for name in (
                "wsgi.multithread",
                "wsgi.multiprocess",
                "wsgi.run_once",
                "wsgi.input_terminated",
            )
            if name in environ
        },
    }
    environ[MARK] = True
    return json_response(start_response, report)


def _odd(key: Any, value: Any) -> bool:
    return type(key) is not str or ("." not in key and type(value) is not str)
