"""The contract as ``apps/contract.toml`` says it: each exchange with what is sent and accepted.

Every GET is sent as HEAD too (RFC 9110 section 9.3.2), every path is asked with OPTIONS.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsgi_matrix.model.results import Level
from wsgi_matrix.suites.contract.responses import Accept
from wsgi_matrix.util import toml_file as toml
from wsgi_matrix.util.toml_file import Reader, TomlFile

CLOSE = "Connection: close"
OPTIONS_STATUSES = (200, 204, 405)


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
