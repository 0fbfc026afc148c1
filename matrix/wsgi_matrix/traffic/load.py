"""Traffic in any of its forms → sessions. What a file is, its content says, not its name alone."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from wsgi_matrix.errors import UserError
from wsgi_matrix.traffic import har, http_file, openapi, paths
from wsgi_matrix.traffic.model import Ask, Capture, Session

LARGEST = 256 * 2**20
"""Octets of a file of traffic; a HAR with films in it is no traffic to send."""
TELLING = 32
"""Characters of a request's target that its name tells."""


def load(
    sends: Sequence[str], *, root: Path, captures: Sequence[Capture] = (), host: str = ""
) -> tuple[Session, ...]:
    """The sessions of ``sends``: paths of the app (``/…``) and files, relative to ``root``.

    All plain paths are one session, each file is one of its own. ``captures`` are tried on every
    answer; ``host`` is the Host of all requests if it says something. Raises :class:`UserError`.
    """
    plain = tuple(Ask(target=paths.target(x), source=x) for x in sends if x.startswith("/"))
    sessions = [Session(asks=plain)] if plain else []
    for name in sends:
        if not name.startswith("/"):
            sessions.append(_file(root / name, captures))
    return _named(sessions, captures, host)


def _file(path: Path, captures: Sequence[Capture]) -> Session:
    try:
        if path.stat().st_size > LARGEST:
            raise UserError(f"{path}: traffic of more than {LARGEST >> 20} MiB is not read")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        hint = "; a path of the app begins with /" if not path.suffix else ""
        raise UserError(f"{path}: {problem.strerror}{hint}") from None
    except UnicodeDecodeError as problem:
        raise UserError(f"{path}: not UTF-8: {problem}") from None
    try:
        return _read(path, text, captures)
    except ValueError as problem:
        raise UserError(f"{path}: {problem}") from None


def _read(path: Path, text: str, captures: Sequence[Capture]) -> Session:
    """What is in a file. Raises ``ValueError``."""
    kind, name = path.suffix.lower(), path.name
    if kind in (".http", ".rest"):
        given = {each.name: "" for each in captures}
        session = http_file.read(text, name, path.parent, given)
        if not session.asks:
            raise ValueError("there is no request in it")
        return session
    if kind == ".har":
        return har.read(har.parse(text), name, captures)
    if kind in (".json", ".yaml", ".yml"):
        value = har.parse(text) if kind == ".json" else _yaml(text)
        if openapi.looks_like(value):
            return openapi.read(value, name)
        if har.looks_like(value):
            return har.read(value, name, captures)
        raise ValueError("neither an OpenAPI document (openapi: …) nor a HAR (log: …)")
    if kind in (".txt", ".list", ""):
        asks = paths.read(text, name)
        if not asks:
            raise ValueError("there is no path in it")
        return Session(asks=asks)
    raise ValueError(
        "not a form of traffic that is known: .http, .har, .json or .yaml (OpenAPI), "
        ".txt (a path in each line)"
    )


def _yaml(text: str) -> Any:
    try:
        # Dates become objects of Python; written as text again they are as they were.
        return json.loads(json.dumps(yaml.safe_load(text), default=str))
    except (yaml.YAMLError, TypeError, ValueError) as problem:
        raise ValueError(f"not YAML: {' '.join(str(problem).split())}") from None


def _named(
    sessions: Sequence[Session], captures: Sequence[Capture], host: str
) -> tuple[Session, ...]:
    """With names that are unique over all sessions, and what holds for all requests."""
    total = sum(len(session.asks) for session in sessions)
    width, number, made = max(2, len(str(total))), 0, []
    for session in sessions:
        asks = []
        for ask in session.asks:
            number += 1
            told = re.sub(r"[^a-z0-9]+", "-", f"{ask.method} {ask.target}".lower()).strip("-")
            asks.append(
                replace(
                    ask,
                    name=f"{number:0{width}}-{told[:TELLING].strip('-')}",
                    captures=(*ask.captures, *captures),
                    host=host or ask.host,
                )
            )
        made.append(replace(session, asks=tuple(asks)))
    return tuple(made)
