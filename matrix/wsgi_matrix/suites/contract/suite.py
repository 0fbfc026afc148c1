"""The suite ``contract``: what ``apps/contract.toml`` says every app answers.

The file is read once; the requests that are sent, what is accepted, and the table in the docs come
from it. Every GET is sent as HEAD too (RFC 9110 section 9.3.2), every path is asked with OPTIONS.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from wsgi_matrix.errors import ConfigError
from wsgi_matrix.http.normalise import RULES
from wsgi_matrix.model.results import Level, Outcome
from wsgi_matrix.model.settings import Config
from wsgi_matrix.suites.api import CONTRACT, Suite
from wsgi_matrix.suites.case import Case, Evidence, Verdict
from wsgi_matrix.suites.contract import comparison
from wsgi_matrix.suites.contract.responses import Accept, fault
from wsgi_matrix.suites.lifecycle import CASES as CELL_CASES
from wsgi_matrix.util import toml_file as toml
from wsgi_matrix.util.toml_file import Reader, TomlFile

CLOSE = "Connection: close"
PATIENCE = 5.0
"""Seconds for one exchange: a server that hangs must not take the others' time."""
OPTIONS_STATUSES = (200, 204, 405)
KEPT = ("limits", "unchanged", "stop")
"""Checks on the cell itself that hold whatever is sent."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One exchange: what is sent and what is accepted."""

    name: str
    method: str
    target: str
    fields: tuple[str, ...] = ()
    body: bytes | None = None
    chunked: bool = False
    accept: tuple[Accept, ...]
    level: Level = Level.MUST
    joined: tuple[str, ...] = ()
    page: bool = False
    """The content is a page of the framework's own: it is not compared."""
    own: bool = False
    """The content tells of the app: it is compared over servers, not over apps."""

    @property
    def request(self) -> bytes:
        """The octets to send."""
        lines = [f"{self.method} {self.target} HTTP/1.1", "Host: localhost", *self.fields]
        content = self.body or b""
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
            half = len(content) // 2
            parts = [content[:half], content[half:], b""]
            content = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
        elif self.body is not None:
            lines.append(f"Content-Length: {len(content)}")
        return "\r\n".join([*lines, "", ""]).encode() + content


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A path of the contract, with what is sent there."""

    path: str
    says: str
    methods: tuple[str, ...]
    asked: tuple[Asked, ...] = field(default=())


def _accepts(value: Any, _root: Path) -> tuple[Accept, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError("a list of tables")
    try:
        return tuple(Accept.read(item) for item in value)
    except (TypeError, KeyError) as problem:
        raise ValueError(f"a table of what is accepted ({problem})") from None


def _level(value: Any, root: Path) -> Level:
    return Level(toml.text(value, root))


ENDPOINT: dict[str, Reader] = {
    "path": toml.text,
    "says": toml.text,
    "methods": toml.texts,
    "example": toml.text,
    "own": toml.flag,
}
EXCHANGE: dict[str, Reader] = {
    "name": toml.text,
    "method": toml.text,
    "target": toml.text,
    "fields": toml.texts,
    "body": toml.maybe_empty,
    "body_hex": toml.text,
    "chunked": toml.flag,
    "head": toml.flag,
    "page": toml.flag,
    "level": _level,
    "joined": toml.texts,
    "accept": _accepts,
}


def load(file: Path) -> tuple[Endpoint, ...]:
    """Read the contract. Raises :class:`ConfigError`."""
    source = TomlFile(file)
    data = source.read()
    source.known("", data, ("endpoint",))
    endpoints = tuple(_endpoint(source, table) for table in data.get("endpoint", []))
    names = [asked.name for endpoint in endpoints for asked in endpoint.asked]
    for name in names:
        if names.count(name) > 1:
            source.wrong(name, "two exchanges have this name")
    return endpoints


def _endpoint(source: TomlFile, table: dict[str, Any]) -> Endpoint:
    table = dict(table)
    path = str(table.get("path", ""))
    exchanges = table.pop("exchange", [])
    values = source.table(path, table, ENDPOINT, ("path", "says", "methods"))
    example, own = values.pop("example", path), values.pop("own", False)
    asked = [
        made
        for exchange in exchanges
        for made in _exchange(source.table(path, exchange, EXCHANGE, ("name", "accept")), path, own)
    ]
    if "{" in example:
        example = next(made.target for made in asked)
    return Endpoint(**values, asked=(*asked, _options(path, example, values["methods"])))


def _exchange(values: dict[str, Any], path: str, own: bool) -> list[Asked]:
    """The exchange, and the same as HEAD."""
    head = values.pop("head", True)
    body = values.pop("body", None)
    octets = bytes.fromhex(values.pop("body_hex")) if "body_hex" in values else None
    values = {"method": "GET", "target": path, "own": own, **values}
    asked = Asked(body=body.encode() if body is not None else octets, **values)
    if asked.method != "GET" or not head:
        return [asked]
    accept = tuple(each.without_content() for each in asked.accept)
    # Content that must not come may come late: the connection's end says that there is none.
    values["fields"] = tuple(dict.fromkeys((*values.get("fields", ()), CLOSE)))
    return [
        asked,
        Asked(**{**values, "name": f"{asked.name}-head", "method": "HEAD", "accept": accept}),
    ]


def _options(path: str, target: str, methods: tuple[str, ...]) -> Asked:
    name = path.strip("/").partition("/")[0] + "-options"
    accept = tuple(Accept(status=code, allow=frozenset(methods)) for code in OPTIONS_STATUSES)
    return Asked(
        name=name, method="OPTIONS", target=target, accept=accept, level=Level.SHOULD, page=True
    )


def judge(asked: Asked, evidence: Evidence) -> Verdict:
    """Whether the answer is one of those that the contract accepts."""
    exchange = next(iter(evidence.exchanges[asked.name]), None)
    if exchange is None:
        return Outcome.ERROR, "it was not sent"
    said = fault(exchange, asked.method, asked.accept, asked.joined)
    broken = Outcome.DIFFER if asked.level is Level.MAY else Outcome.FAIL
    return (broken, said) if said else (Outcome.PASS, "")


def suite(config: Config) -> Suite:
    """The suite, from the table ``[suites.contract]``. Raises :class:`ConfigError`."""
    settings = config.suites.get(CONTRACT)
    if settings is None or settings.contract is None:
        raise ConfigError(f"{config.file}: suites.{CONTRACT}.contract names no file")
    endpoints = load(settings.contract)
    asked = {each.name: each for endpoint in endpoints for each in endpoint.asked}
    cases = tuple(
        Case(
            id=each.name,
            level=each.level,
            says=f"{each.method} {each.target}: {' or '.join(map(str, each.accept))}",
            judge=partial(judge, each),
            evidence=(each.name,),
        )
        for each in asked.values()
    )
    kept = tuple(case for case in CELL_CASES if case.id in KEPT)
    return Suite(
        name=CONTRACT,
        requests={name: each.request for name, each in asked.items()},
        cases=(*kept, *cases),
        compare=partial(
            comparison.compare,
            asked=asked,
            reference_app=settings.reference_app,
            reference_server=settings.reference_server,
        ),
        repeat=1,
        burst=False,
        patience=PATIENCE,
        notes=("Before answers are compared:", *(f"  {rule.id}: {rule.says}" for rule in RULES)),
    )
