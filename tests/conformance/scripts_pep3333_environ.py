"""Scripts for the rules of the environ: W1 to W21."""

from __future__ import annotations

from typing import Any

from tests.conformance.scripted import Script
from tests.conformance.scripts_pep3333 import ERROR, HEAD_END, Scripts, json_response, ok, one, two

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


def report(text: dict[str, str | None] | None = None, **other: Any) -> bytes:
    """The app's response; ``None`` for a variable that is not there."""
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
    return json_response(value)


def _flags(**changes: Any) -> bytes:
    flags = {**FLAGS, **{f"wsgi.{name}": value for name, value in changes.items()}}
    return report(flags={name: flag for name, flag in flags.items() if flag is not None})


def _text(name: str, *values: str | None) -> tuple[Scripts, ...]:
    return tuple(one(report({name: value})) for value in values)


def _kept(*responses: bytes) -> Scripts:
    script: Script = tuple(item for response in responses for item in (HEAD_END, response))
    return (script,)


def _met(first: bool, second: bool, flag: bool) -> Scripts:
    return two(
        json_response({"met": first, "multithread": flag}),
        json_response({"met": second, "multithread": flag}),
    )


HIGH = "\u00e9\u00ff"
GREEN: dict[str, Scripts] = {
    "application/positional-arguments": one(report()),
    "application/instance-with-call": one(report()),
    "application/called-repeatedly": two(report(), report()),
    "environ/new-dict": two(report(), report()),
    "environ/new-dict/kept": _kept(report(), report()),
    "environ/native-strings": one(report()),
    "environ/latin-1/field": one(report({"HTTP_X_HIGH": HIGH})),
    "environ/latin-1/path": one(report({"PATH_INFO": "/environ/\u00c3\u00a9"})),
    "environ/request-method": one(report()),
    "environ/request-method/other": one(report({"REQUEST_METHOD": "PATCH"})),
    "environ/path/space": one(report({"SCRIPT_NAME": "/environ", "PATH_INFO": "/a b"})),
    "environ/path/slash": one(ok(b"", status=b"404 Not Found")),
    "environ/path/empty-segment": one(report({"PATH_INFO": "/environ//a"})),
    "environ/path/first-segment": one(report({"PATH_INFO": "//environ/a"})),
    "environ/query-string": one(report({"QUERY_STRING": "a=%20b&c=%2F+d?"})),
    "environ/query-string/none": one(report({"QUERY_STRING": None})),
    "environ/content-type-and-length/none": one(report({"CONTENT_TYPE": ""})),
    "environ/content-type-and-length/type": one(report({"CONTENT_TYPE": "text/x-rules"})),
    "environ/content-type-and-length/length": one(report({"CONTENT_LENGTH": "3"})),
    "environ/server-name-and-port": one(report()),
    "environ/server-protocol": one(report()),
    "environ/server-protocol/1.0": one(report({"SERVER_PROTOCOL": "HTTP/1.0"})),
    "environ/http-variables": one(report()),
    "environ/http-variables/repeated": one(report({"HTTP_X_LIST": "a, b"})),
    "environ/other-cgi-variables": one(report({"GATEWAY_INTERFACE": None})),
    "environ/wsgi-version": one(report()),
    "environ/wsgi-url-scheme": one(report()),
    "environ/stream-methods": one(report()),
    "environ/wsgi-multithread": _met(True, True, True),
    "environ/wsgi-multiprocess": one(report()),
    "environ/wsgi-run-once": one(report()),
    "environ/extension-names": one(report()),
}
RED: dict[str, tuple[Scripts, ...]] = {
    "application/positional-arguments": (one(ERROR),),
    "application/instance-with-call": (one(ERROR),),
    "application/called-repeatedly": (two(report(), report(imported="2")), two(report(), ERROR)),
    "environ/new-dict": (two(report(), report(marked=True)), two(report(kind="Environ"), report())),
    "environ/new-dict/kept": (_kept(report(), report(marked=True)), _kept(ERROR, ERROR)),
    "environ/native-strings": (one(report(odd=["b'PATH_INFO'"])),),
    "environ/latin-1/field": _text("HTTP_X_HIGH", "", "\ufffd", None),
    "environ/latin-1/path": _text("PATH_INFO", "/environ/\u00e9", "/environ/%C3%A9"),
    "environ/request-method": _text("REQUEST_METHOD", "", None, "get"),
    "environ/request-method/other": _text("REQUEST_METHOD", "GET", None),
    "environ/path/space": _text("PATH_INFO", "/environ/a%20b", "/environ/a+b", None),
    "environ/path/slash": _text("PATH_INFO", "/environ/a%2Fb", "/environ/a"),
    "environ/path/empty-segment": _text("PATH_INFO", "/environ/a"),
    "environ/path/first-segment": _text("PATH_INFO", "/environ/a", "/a"),
    "environ/query-string": _text("QUERY_STRING", "a= b&c=/ d?", "a=%20b&c=%2F+d", None),
    "environ/query-string/none": _text("QUERY_STRING", "?"),
    "environ/content-type-and-length/none": (
        *_text("CONTENT_TYPE", "text/plain"),
        *_text("CONTENT_LENGTH", "7"),
    ),
    "environ/content-type-and-length/type": _text("CONTENT_TYPE", None, "", "text/plain"),
    "environ/content-type-and-length/length": _text("CONTENT_LENGTH", None, "", "4"),
    "environ/server-name-and-port": (
        *_text("SERVER_NAME", None, "", "Cheroot/11.1.2", "waitress.invalid"),
        *_text("SERVER_PORT", None, "", "http"),
    ),
    "environ/server-protocol": _text("SERVER_PROTOCOL", "HTTP/1.0", "HTTP/1", None),
    "environ/server-protocol/1.0": _text("SERVER_PROTOCOL", "HTTP/1.1", "HTTP/1", None),
    "environ/http-variables": (*_text("HTTP_X_ONE", None), *_text("HTTP_X_TWO", "2")),
    "environ/http-variables/repeated": _text("HTTP_X_LIST", "a", "b", "ab", "b,a"),
    "environ/other-cgi-variables": (
        *_text("REMOTE_ADDR", None, ""),
        *_text("SERVER_SOFTWARE", None),
    ),
    "environ/wsgi-version": (one(report(version="[1, 0]")), one(report(version="(1, 1)"))),
    "environ/wsgi-url-scheme": _text("wsgi.url_scheme", "https", None, ""),
    "environ/stream-methods": (one(report(lacks=["wsgi.input.readlines"])),),
    "environ/wsgi-multithread": (_met(False, False, True), _met(True, True, False)),
    "environ/wsgi-multiprocess": (one(_flags(multiprocess=True)), one(_flags(multiprocess=None))),
    "environ/wsgi-run-once": (one(_flags(run_once=None)),),
    "environ/extension-names": (one(report(own=["SCRIPTED_THING"])), one(report(own=["thing"]))),
}
