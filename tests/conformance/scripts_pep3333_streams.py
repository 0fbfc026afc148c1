"""Scripts for the rules of ``wsgi.input`` and ``wsgi.errors``: W23 to W35, W69 to W71."""

from __future__ import annotations

from typing import Any

from tests.conformance.scripted import FIN, Wait
from tests.conformance.scripts_pep3333 import ERROR, HEAD_END, Scripts, ok, one, tell

TEXT = "one\ntwo\nthree"
LINES = ["one\n", "two\n", "three"]
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def _gave(*values: Any) -> Scripts:
    return one(tell(list(values)))


def _behind(*first: bytes, gave: tuple[list[str], ...]) -> Scripts:
    """What comes for two requests at once, and what the app has noted of the first."""
    notes = [{"gave": each} for each in gave]
    return ((HEAD_END, *first), (HEAD_END, tell(notes)))


def _cut(*notes: Any) -> Scripts:
    return ((HEAD_END, FIN), (HEAD_END, tell({"notes": notes})))


def _note(gave: Any, *, terminated: bool = True) -> dict[str, Any]:
    return {"gave": [gave], "length": "", "terminated": terminated}


def _flag(flag: bool | None) -> Scripts:
    return one(tell({"flags": {} if flag is None else {"wsgi.input_terminated": flag}}))


def _expected(*said: bytes) -> Scripts:
    return ((HEAD_END, said[0], Wait(b"three"), *said[1:]),)


RAISED = {"raised": "OSError"}
GREEN: dict[str, Scripts] = {
    "W23": _gave(TEXT, "", ""),
    "W23-over": _gave(TEXT),
    "W23-next": _behind(tell({}), gave=()),  # one answer is lost, nothing else
    "W24": _gave(TEXT),
    "W24-rest": _gave("one\n", "two\nthree"),
    "W25": _gave(TEXT),
    "W26": _gave("", TEXT),
    "W27": _gave(TEXT, "", "", [], ""),
    "W27-none": _gave("", "", [], ""),
    "W28": _gave(*LINES, ""),
    "W29": _gave("on", "e\n"),
    "W30": _gave(LINES),
    "W30-hint": _gave(LINES[:1], LINES[1:]),
    "W31": _gave(LINES),
    "W31-none": _gave([]),
    "W32": _gave("one\n", "tw", "o\n", "three"),
    "W33": _gave(""),
    "W34-length": _cut(_note(RAISED)),
    "W34-chunked": _cut(_note("one\n", terminated=False)),
    "W35": one(tell({"raised": ""})),
    "W69": _expected(CONTINUE, tell([TEXT])),
    "W70": _gave(TEXT),
    "W71-length": _flag(True),
    "W71-chunked": _flag(True),
}
RED: dict[str, tuple[Scripts, ...]] = {
    # The first is what a server does that waits for octets which never come.
    "W23": (one(), _gave(TEXT, RAISED, ""), _gave(TEXT, "GET /", "")),
    "W23-over": (one(ERROR), _gave(RAISED), _gave("one\n")),
    "W23-next": (
        _behind(tell([TEXT + "GET /", ""]), gave=([TEXT + "GET /", ""],)),
        _behind(tell([TEXT, "GET /"]), tell({}), gave=([TEXT, "GET /"],)),
        _behind(gave=()),
        ((HEAD_END, ERROR),),
    ),
    "W24": (_gave("one\n"), _gave("")),
    "W24-rest": (_gave("one\n", ""), _gave("one\n", TEXT)),
    "W25": (one(ERROR), _gave(""), _gave(RAISED)),
    "W26": (_gave(TEXT, ""), _gave("", "")),
    "W27": (_gave(TEXT, "", "", [], RAISED), _gave(TEXT, "", "\n", [], "")),
    "W27-none": (_gave(RAISED, "", [], ""), one(ERROR)),
    "W28": (_gave("one", "two", "three", ""), _gave("one", "", "", ""), _gave(TEXT, "", "", "")),
    "W29": (_gave("one\n", "two\n"), _gave("on", "e\ntwo\nthr"), _gave(RAISED, RAISED)),
    "W30": (_gave([]), _gave(["one", "two", "three"])),
    "W30-hint": (_gave([], LINES), _gave(LINES[:1], LINES[2:]), _gave(RAISED, LINES)),
    "W31": (one(), _gave(LINES[:1]), _gave(["one", "two", "three"])),
    "W31-none": (one(), _gave([""])),
    "W32": (_gave("one\n", "on", "e\n", "two\nt"), _gave("one\n", "tw", "two\n", "three")),
    "W33": (one(), _gave(RAISED)),
    "W34-length": (_cut(_note("one")), _cut(_note(""))),
    "W34-chunked": (_cut(_note("one\n")), _cut(_note(""))),
    "W35": (one(tell({"raised": "UnicodeEncodeError"})), one(ERROR)),
    "W69": (
        ((HEAD_END, Wait(b"three"), tell([TEXT])),),
        _expected(CONTINUE, tell([""])),
        one(ERROR),
    ),
    "W70": (_gave("5\r\none\nt"), _gave(""), one(ok(b"", status=b"411 Length Required"))),
    "W71-length": (_flag(None), _flag(False)),
    "W71-chunked": (_flag(None), _flag(False)),
}
