"""Loads traffic in any form as sessions; the form of a file depends on its name and content."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from wsgi_matrix.errors import UserError
from wsgi_matrix.model.http_session import MADE, Ask, Capture, Session
from wsgi_matrix.traffic import authorization, har, http_file, json_references, openapi, paths
from wsgi_matrix.traffic.variables import Given, Variables, check_environment

TELLING = 32
"""Maximum number of characters of the target in the name of a request."""


@dataclass(frozen=True, kw_only=True)
class ForAll:
    """Options for all requests, whatever their form."""

    captures: Sequence[Capture] = ()
    """Captures that are tried on every response."""
    host: str = ""
    """The Host; empty: that of the traffic."""
    headers: Sequence[str] = ()
    """``NAME: VALUE``: fields that replace existing ones."""
    given: Given = field(default_factory=Given)


def load(sends: Sequence[str], *, root: Path, to_all: ForAll | None = None) -> tuple[Session, ...]:
    """The sessions of ``sends``: paths of the app (``/…``) and files, relative to ``root``.

    All plain paths are one session; each file is a separate one. Raises :class:`UserError`.
    """
    to_all = to_all or ForAll()
    names = frozenset(each.name for each in to_all.captures)
    to_all = replace(to_all, given=replace(to_all.given, captured=names))
    folders = [root, *((root / x).parent for x in sends if not x.startswith("/"))]
    check_environment(to_all.given.http_env, folders)
    variables = Variables(root, to_all.given, has_own=False)
    try:
        plain = [paths.ask(x, x, variables) for x in sends if x.startswith("/")]
    except ValueError as problem:
        raise UserError(f"--traffic: {problem}") from None
    sessions = [Session(asks=tuple(plain))] if plain else []
    sessions += [_file(path, to_all) for path in files(sends, root)]
    made = _named(sessions, to_all, _fields(to_all, variables))
    return tuple(made)


def files(sends: Sequence[str], root: Path) -> tuple[Path, ...]:
    """The files of ``sends``."""
    return tuple(root / name for name in sends if not name.startswith("/"))


def _file(path: Path, to_all: ForAll) -> Session:
    try:
        text = json_references.text_of(path)
        return _read(path, text, to_all)
    except ValueError as problem:
        hint = "" if path.suffix or path.exists() else "; a path of the app must begin with /"
        raise UserError(f"{path}: {problem}{hint}") from None


def _read(path: Path, text: str, to_all: ForAll) -> Session:
    """The session of a file. Raises ``ValueError``."""
    kind, name = path.suffix.lower(), path.name
    if kind in (".http", ".rest"):
        session = http_file.read(text, name, path.parent, to_all.given)
        if not session.asks:
            why = "".join(f"; {note}" for note in session.notes)
            raise ValueError(f"no requests{why}")
        return session
    if kind in (".har", ".json", ".yaml", ".yml"):
        value = json_references.parse(text, path)
        if openapi.looks_like(value):
            return openapi.read(value, name, path, signed=bool(to_all.headers))
        if kind == ".har" or har.looks_like(value):
            return har.read(value, name, to_all.captures, to_all.host)
        raise ValueError("neither an OpenAPI document (openapi: …) nor a HAR (log: …)")
    if kind in (".txt", ".list", ""):
        asks = paths.read(text, name, Variables(path.parent, to_all.given, has_own=False))
        if not asks:
            raise ValueError("no paths")
        return Session(asks=asks)
    raise ValueError(
        "unknown form of traffic; supported: .http, .har, .json or .yaml (OpenAPI), .txt (one path "
        "per line)"
    )


def _fields(
    to_all: ForAll, variables: Variables
) -> tuple[list[tuple[str, str]], tuple[str, str] | None]:
    """The fields of ``--header``, and the credentials for the scheme Digest."""
    fields, digest = [], None
    for each in to_all.headers:
        name, colon, value = each.partition(":")
        name = name.strip()
        if not colon or not name:
            raise UserError(f'--header: expected "NAME: VALUE", not "{each}"')
        if name.lower() in MADE | {"connection"}:
            hint = "; use --host for the Host" if name.lower() == "host" else ""
            raise UserError(f"--header: {name} is generated for each request{hint}")
        try:
            value = variables.fill(value.strip())
            if name.lower() == "authorization":
                value, digest = authorization.written(value)
            Ask(fields=((name, value),))
        except ValueError as problem:
            raise UserError(f"--header: {problem}") from None
        fields += [(name, value)] if value else []
    return fields, digest


def _named(
    sessions: Sequence[Session],
    to_all: ForAll,
    added: tuple[list[tuple[str, str]], tuple[str, str] | None],
) -> list[Session]:
    """Sessions with unique names of requests, and with the options for all requests."""
    total = sum(len(session.asks) for session in sessions)
    width, number, made = max(2, len(str(total))), 0, []
    fields, digest = added
    names = {name.lower() for name, _ in fields} | ({"authorization"} if digest else set())
    for session in sessions:
        asks = []
        for ask in session.asks:
            number += 1
            words = f"{ask.method} {ask.shape or ask.target}".lower()
            told = re.sub(r"[^a-z0-9]+", "-", words).strip("-")
            kept = [each for each in ask.fields if each[0].lower() not in names]
            try:
                asks.append(
                    replace(
                        ask,
                        name=f"{number:0{width}}-{told[:TELLING].strip('-')}",
                        captures=(*ask.captures, *to_all.captures),
                        host=to_all.host or ask.host,
                        fields=(*kept, *fields),
                        digest=(digest if "authorization" in names else ask.digest),
                    )
                )
            except ValueError as problem:
                raise UserError(f"--host: {problem}") from None
        made.append(replace(session, asks=tuple(asks)))
    return made
