"""Scripts for the rules of ``wsgi.input`` and ``wsgi.errors``: W23 to W35, W69 to W71."""

from __future__ import annotations

from typing import Any

from tests.conformance.scripted import FIN, Wait
from tests.conformance.scripts_pep3333 import ERROR, HEAD_END, Scripts, json_response, ok, one

TEXT = "one\ntwo\nthree"
LINES = ["one\n", "two\n", "three"]
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def _gave(*values: Any) -> Scripts:
    return one(json_response(list(values)))


def _behind(*first: bytes, gave: tuple[list[str], ...]) -> Scripts:
    """What comes for two requests at once, and what the app has noted of the first."""
    notes = [{"gave": each} for each in gave]
    return ((HEAD_END, *first), (HEAD_END, json_response(notes)))


def _cut(*notes: Any) -> Scripts:
    return ((HEAD_END, FIN), (HEAD_END, json_response({"notes": notes})))


def _note(gave: Any, *, terminated: bool = True) -> dict[str, Any]:
    return {"gave": [gave], "length": "", "terminated": terminated}


def _flag(flag: bool | None) -> Scripts:
    return one(json_response({"flags": {} if flag is None else {"wsgi.input_terminated": flag}}))


def _expected(*said: bytes) -> Scripts:
    return ((HEAD_END, said[0], Wait(b"three"), *said[1:]),)


RAISED = {"raised": "OSError"}
GREEN: dict[str, Scripts] = {
    "input/end-of-content": _gave(TEXT, "", ""),
    "input/end-of-content/over": _gave(TEXT),
    "input/end-of-content/next": _behind(
        json_response({}), gave=()
    ),  # one response is lost, nothing else
    "input/read-without-size": _gave(TEXT),
    "input/read-without-size/rest": _gave("one\n", "two\nthree"),
    "input/read-minus-one": _gave(TEXT),
    "input/read-zero": _gave("", TEXT),
    "input/exhausted": _gave(TEXT, "", "", [], ""),
    "input/exhausted/none": _gave("", "", [], ""),
    "input/readline": _gave(*LINES, ""),
    "input/readline-with-size": _gave("on", "e\n"),
    "input/readlines": _gave(LINES),
    "input/readlines/hint": _gave(LINES[:1], LINES[1:]),
    "input/iteration": _gave(LINES),
    "input/iteration/none": _gave([]),
    "input/shared-position": _gave("one\n", "tw", "o\n", "three"),
    "input/no-content": _gave(""),
    "input/incomplete-content/length": _cut(_note(RAISED)),
    "input/incomplete-content/chunked": _cut(_note("one\n", terminated=False)),
    "errors/any-text": one(json_response({"raised": ""})),
    "input/expect-100-continue": _expected(CONTINUE, json_response([TEXT])),
    "input/transfer-coding-decoded": _gave(TEXT),
    "input/input-terminated/length": _flag(True),
    "input/input-terminated/chunked": _flag(True),
}
RED: dict[str, tuple[Scripts, ...]] = {
    # The first is what a server does that waits for octets which never come.
    "input/end-of-content": (one(), _gave(TEXT, RAISED, ""), _gave(TEXT, "GET /", "")),
    "input/end-of-content/over": (one(ERROR), _gave(RAISED), _gave("one\n")),
    "input/end-of-content/next": (
        _behind(json_response([TEXT + "GET /", ""]), gave=([TEXT + "GET /", ""],)),
        _behind(json_response([TEXT, "GET /"]), json_response({}), gave=([TEXT, "GET /"],)),
        _behind(gave=()),
        ((HEAD_END, ERROR),),
    ),
    "input/read-without-size": (_gave("one\n"), _gave("")),
    "input/read-without-size/rest": (_gave("one\n", ""), _gave("one\n", TEXT)),
    "input/read-minus-one": (one(ERROR), _gave(""), _gave(RAISED)),
    "input/read-zero": (_gave(TEXT, ""), _gave("", "")),
    "input/exhausted": (_gave(TEXT, "", "", [], RAISED), _gave(TEXT, "", "\n", [], "")),
    "input/exhausted/none": (_gave(RAISED, "", [], ""), one(ERROR)),
    "input/readline": (
        _gave("one", "two", "three", ""),
        _gave("one", "", "", ""),
        _gave(TEXT, "", "", ""),
    ),
    "input/readline-with-size": (
        _gave("one\n", "two\n"),
        _gave("on", "e\ntwo\nthr"),
        _gave(RAISED, RAISED),
    ),
    "input/readlines": (_gave([]), _gave(["one", "two", "three"])),
    "input/readlines/hint": (_gave([], LINES), _gave(LINES[:1], LINES[2:]), _gave(RAISED, LINES)),
    "input/iteration": (one(), _gave(LINES[:1]), _gave(["one", "two", "three"])),
    "input/iteration/none": (one(), _gave([""])),
    "input/shared-position": (
        _gave("one\n", "on", "e\n", "two\nt"),
        _gave("one\n", "tw", "two\n", "three"),
    ),
    "input/no-content": (one(), _gave(RAISED)),
    "input/incomplete-content/length": (_cut(_note("one")), _cut(_note(""))),
    "input/incomplete-content/chunked": (_cut(_note("one\n")), _cut(_note(""))),
    "errors/any-text": (one(json_response({"raised": "UnicodeEncodeError"})), one(ERROR)),
    "input/expect-100-continue": (
        ((HEAD_END, Wait(b"three"), json_response([TEXT])),),
        _expected(CONTINUE, json_response([""])),
        one(ERROR),
    ),
    "input/transfer-coding-decoded": (
        _gave("5\r\none\nt"),
        _gave(""),
        one(ok(b"", status=b"411 Length Required")),
    ),
    "input/input-terminated/length": (_flag(None), _flag(False)),
    "input/input-terminated/chunked": (_flag(None), _flag(False)),
}
