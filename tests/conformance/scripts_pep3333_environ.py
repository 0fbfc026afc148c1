"""Scripts for the rules of the environ: W1 to W21."""

from __future__ import annotations

from typing import Any

from tests.conformance.scripted import Script
from tests.conformance.scripts_pep3333 import ERROR, HEAD_END, Scripts, ok, one, tell, two

TEXT = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/environ",
    "QUERY_STRING": "",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "HTTP_HOST": "localhost",
    "HTTP_X_ONE": "1",
    "REMOTE_ADDR": "127.0.0.1",
    "GATEWAY_INTERFACE": "CGI/1.1",
    "SERVER_SOFTWARE": "scripted",
    "wsgi.url_scheme": "http",
}
FLAGS = {"wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False}


def told(text: dict[str, str | None] | None = None, **other: Any) -> bytes:
    """The app's answer; ``None`` for a variable that is not there."""
    merged = {**TEXT, **(text or {})}
    value = {
        "kind": "dict",
        "marked": False,
        "imported": "1",
        "text": {name: value for name, value in merged.items() if value is not None},
        "odd": [],
        "own": ["PATH_INFO", "wsgi.input", "scripted.thing"],
        "lacks": [],
        "version": "(1, 0)",
        "flags": FLAGS,
        **other,
    }
    return tell(value)


def _flags(**changes: Any) -> bytes:
    flags = {**FLAGS, **{f"wsgi.{name}": value for name, value in changes.items()}}
    return told(flags={name: flag for name, flag in flags.items() if flag is not None})


def _text(name: str, *values: str | None) -> tuple[Scripts, ...]:
    return tuple(one(told({name: value})) for value in values)


def _kept(*answers: bytes) -> Scripts:
    script: Script = tuple(item for answer in answers for item in (HEAD_END, answer))
    return (script,)


def _met(first: bool, second: bool, flag: bool) -> Scripts:
    return two(
        tell({"met": first, "multithread": flag}), tell({"met": second, "multithread": flag})
    )


HIGH = "\u00e9\u00ff"
GREEN: dict[str, Scripts] = {
    "W1": one(told()),
    "W2": one(told()),
    "W3": two(told(), told()),
    "W4": two(told(), told()),
    "W4-kept": _kept(told(), told()),
    "W5": one(told()),
    "W6-field": one(told({"HTTP_X_HIGH": HIGH})),
    "W6-path": one(told({"PATH_INFO": "/environ/\u00c3\u00a9"})),
    "W7": one(told()),
    "W7-other": one(told({"REQUEST_METHOD": "PATCH"})),
    "W8-space": one(told({"SCRIPT_NAME": "/environ", "PATH_INFO": "/a b"})),
    "W8-slash": one(ok(b"", status=b"404 Not Found")),
    "W8-empty-segment": one(told({"PATH_INFO": "/environ//a"})),
    "W8-first-segment": one(told({"PATH_INFO": "//environ/a"})),
    "W9": one(told({"QUERY_STRING": "a=%20b&c=%2F+d?"})),
    "W9-none": one(told({"QUERY_STRING": None})),
    "W10-none": one(told({"CONTENT_TYPE": ""})),
    "W10-type": one(told({"CONTENT_TYPE": "text/x-rules"})),
    "W10-length": one(told({"CONTENT_LENGTH": "3"})),
    "W11": one(told()),
    "W12": one(told()),
    "W12-1.0": one(told({"SERVER_PROTOCOL": "HTTP/1.0"})),
    "W13": one(told()),
    "W13-repeated": one(told({"HTTP_X_LIST": "a, b"})),
    "W14": one(told({"GATEWAY_INTERFACE": None})),
    "W15": one(told()),
    "W16": one(told()),
    "W17": one(told()),
    "W18": _met(True, True, True),
    "W19": one(told()),
    "W20": one(told()),
    "W21": one(told()),
}
RED: dict[str, tuple[Scripts, ...]] = {
    "W1": (one(ERROR),),
    "W2": (one(ERROR),),
    "W3": (two(told(), told(imported="2")), two(told(), ERROR)),
    "W4": (two(told(), told(marked=True)), two(told(kind="Environ"), told())),
    "W4-kept": (_kept(told(), told(marked=True)), _kept(ERROR, ERROR)),
    "W5": (one(told(odd=["b'PATH_INFO'"])),),
    "W6-field": _text("HTTP_X_HIGH", "", "\ufffd", None),
    "W6-path": _text("PATH_INFO", "/environ/\u00e9", "/environ/%C3%A9"),
    "W7": _text("REQUEST_METHOD", "", None, "get"),
    "W7-other": _text("REQUEST_METHOD", "GET", None),
    "W8-space": _text("PATH_INFO", "/environ/a%20b", "/environ/a+b", None),
    "W8-slash": _text("PATH_INFO", "/environ/a%2Fb", "/environ/a"),
    "W8-empty-segment": _text("PATH_INFO", "/environ/a"),
    "W8-first-segment": _text("PATH_INFO", "/environ/a", "/a"),
    "W9": _text("QUERY_STRING", "a= b&c=/ d?", "a=%20b&c=%2F+d", None),
    "W9-none": _text("QUERY_STRING", "?"),
    "W10-none": (*_text("CONTENT_TYPE", "text/plain"), *_text("CONTENT_LENGTH", "7")),
    "W10-type": _text("CONTENT_TYPE", None, "", "text/plain"),
    "W10-length": _text("CONTENT_LENGTH", None, "", "4"),
    "W11": (
        *_text("SERVER_NAME", None, "", "Cheroot/11.1.2", "waitress.invalid"),
        *_text("SERVER_PORT", None, "", "http"),
    ),
    "W12": _text("SERVER_PROTOCOL", "HTTP/1.0", "HTTP/1", None),
    "W12-1.0": _text("SERVER_PROTOCOL", "HTTP/1.1", "HTTP/1", None),
    "W13": (*_text("HTTP_X_ONE", None), *_text("HTTP_X_TWO", "2")),
    "W13-repeated": _text("HTTP_X_LIST", "a", "b", "ab", "b,a"),
    "W14": (
        *_text("REMOTE_ADDR", None, ""),
        *_text("SERVER_SOFTWARE", None),
    ),
    "W15": (one(told(version="[1, 0]")), one(told(version="(1, 1)"))),
    "W16": _text("wsgi.url_scheme", "https", None, ""),
    "W17": (one(told(lacks=["wsgi.input.readlines"])),),
    "W18": (_met(False, False, True), _met(True, True, False)),
    "W19": (one(_flags(multiprocess=True)), one(_flags(multiprocess=None))),
    "W20": (one(_flags(run_once=None)),),
    "W21": (one(told(own=["SCRIPTED_THING"])), one(told(own=["thing"]))),
}
