"""The cases of the corpus: the octets that are sent, and what has to be read of them.

``corpus/9112-7.1.1.toml`` has those of RFC 9112, section 7.1.1; ``corpus/README.md`` describes the
format and how to add a case.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onegate.http1 import MessageLimits

from tests.server.http1.readers import Message, Reading

CORPUS = Path(__file__).with_name("corpus")

Keys = Mapping[str, type | tuple[type, ...]]
PIECES = (str, list, dict)
CASE: Keys = {"name": str, "about": str, "rules": list, "send": PIECES, "expect": list}
CASE_OPTIONAL: Keys = {"limits": dict}
REQUEST: Keys = {"request": PIECES}
REQUEST_OPTIONAL: Keys = {
    **{"fields": list, "content": PIECES, "authority": str},
    **{"close": bool, "expect_continue": bool, "incomplete": bool},
}
ERROR: Keys = {"status": int, "reason": str}


class CorpusError(ValueError):
    """A file of the corpus cannot be used. The text names the file and the case."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case."""

    id: str
    """Such as ``invalid/9112-7.1.1-ext-sum``."""
    about: str
    rules: tuple[str, ...]
    """Those of ``docs/conformance-http1.md`` that it shows."""
    limits: MessageLimits
    octets: bytes
    reading: Reading
    incomplete: bool
    """Whether the octets end in the middle of a request."""

    @property
    def valid(self) -> bool:
        """Whether all of it is read without an error."""
        return self.reading.error is None


def load(directory: Path) -> tuple[Case, ...]:
    """All cases of the files in ``directory``: the valid ones first, and those by their ids.

    Raises :class:`CorpusError`.
    """
    cases: dict[str, Case] = {}
    for path in sorted(directory.glob("*.toml")):
        for case in _cases_of(path):
            if case.id in cases:
                raise CorpusError(f"{path.name}: there are two cases {case.id}")
            cases[case.id] = case
    return tuple(sorted(cases.values(), key=lambda case: (not case.valid, case.id)))


def _cases_of(path: Path) -> Iterator[Case]:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        tables = _checked(document, {"case": list}, {})["case"]
    except ValueError as error:  # of TOML, of UTF-8, and ours
        raise CorpusError(f"{path.name}: {error}") from error
    for number, table in enumerate(tables, 1):
        name = table.get("name") if isinstance(table, dict) else None
        try:
            yield _case(path.stem, table)
        except CorpusError as error:
            raise CorpusError(f"{path.name}: case {name or number}: {error}") from error


def _case(section: str, table: object) -> Case:
    told = _checked(table, CASE, CASE_OPTIONAL)
    if not re.fullmatch(r"[\w.-]+", told["name"], re.ASCII):
        raise CorpusError("a name has letters, digits, '.', '-' and '_' only")
    if not all(isinstance(rule, str) and re.fullmatch(r"R\d+", rule) for rule in told["rules"]):
        raise CorpusError("rules are written as in docs/conformance-http1.md: R49")
    try:
        limits = MessageLimits(**told.get("limits", {}))
    except TypeError as error:
        raise CorpusError(f"limits: {error}") from error
    reading, incomplete = _expected(told["expect"])
    return Case(
        id=f"{'invalid' if reading.error else 'valid'}/{section}-{told['name']}",
        about=told["about"],
        rules=tuple(told["rules"]),
        limits=limits,
        octets=_octets(told["send"]),
        reading=reading,
        incomplete=incomplete,
    )


def _expected(tables: list[object]) -> tuple[Reading, bool]:
    """What is read, in order, and whether it ends in the middle of a request."""
    messages: list[Message] = []
    error: tuple[int, str] | None = None
    incomplete = False
    for table in tables:
        if error or incomplete:
            raise CorpusError("nothing is read behind an error or an incomplete request")
        if table == {"incomplete": True}:
            incomplete = True
        elif isinstance(table, dict) and "request" not in table:
            told = _checked(table, ERROR, {})
            error = told["status"], told["reason"]
        else:
            messages.append(_message(_checked(table, REQUEST, REQUEST_OPTIONAL)))
            incomplete = not messages[-1].whole
    return Reading(messages=tuple(messages), error=error), incomplete


def _message(told: dict[str, Any]) -> Message:
    line = "".join(_pieces(told["request"]))
    request = re.fullmatch(r"([^ ]+) ([^ ]+) HTTP/1\.(\d)", line)
    if request is None:
        raise CorpusError(f"{line!r} is not a request line such as 'GET / HTTP/1.1'")
    values: dict[str, Any] = {
        key: told[key] for key in ("authority", "close", "expect_continue") if key in told
    }
    if "fields" in told:
        values["fields"] = tuple(_fields(told["fields"]))
    return Message(
        method=request[1],
        target=request[2],
        minor=int(request[3]),
        content=_octets(told.get("content", "")),
        whole=not told.get("incomplete", False),
        **values,
    )


def _fields(entries: list[object]) -> Iterator[tuple[str, str]]:
    """Names and values. Each text is a field; a list is one field in pieces."""
    for entry in entries:
        pieces = _pieces(entry)
        for line in ["".join(pieces)] if isinstance(entry, list) else pieces:
            name, colon, value = line.partition(": ")
            if not colon:
                raise CorpusError(f"{line!r} is not a field such as 'host: a'")
            yield name, value


def _octets(value: object) -> bytes:
    text = "".join(_pieces(value))
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise CorpusError(
            f"{text[error.start]!r} is not one octet: write each of its octets as \\u00XX"
        ) from error


def _pieces(value: object) -> Iterator[str]:
    """The texts that a string, a list or a table with ``repeat`` or ``from`` stands for."""
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from _pieces(each)
        case {"repeat": repeated, "times": int(times), **others} if not others and times > 1:
            yield from list(_pieces(repeated)) * times
        case {"repeat": repeated, "times": int(times), "number": str(mark), **others} if (
            not others and times > 1 and mark
        ):
            pieces = list(_pieces(repeated))
            for number in range(times):
                yield from (piece.replace(mark, str(number)) for piece in pieces)
        case {"from": int(first), "to": int(last), **others} if not others and 0 <= first < last:
            yield "".join(map(chr, range(first, last + 1)))
        case _:
            raise CorpusError(
                f"{value!r} is neither text nor {{ repeat = …, times = 2 or more }}, with or"
                ' without number = "#", nor { from = 0x00, to = 0xFF }'
            )


def _checked(table: object, required: Keys, optional: Keys) -> dict[str, Any]:
    """``table``, which has every required key, no unknown one, and values of these types."""
    if not isinstance(table, dict):
        raise CorpusError(f"{table!r} is not a table")
    known = {**required, **optional}
    for key, value in table.items():
        if key not in known:
            raise CorpusError(f"unknown key {key!r}; there are {', '.join(known)}")
        if not isinstance(value, known[key]):
            raise CorpusError(f"{key} cannot be {value!r}")
    if missing := [key for key in required if key not in table]:
        raise CorpusError(f"{missing[0]} is missing")
    return table


CASES = load(CORPUS)
