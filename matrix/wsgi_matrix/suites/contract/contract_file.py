"""The contract as ``apps/contract.toml`` says it: each exchange with what is sent and accepted.

Every GET is sent as HEAD too (RFC 9110 section 9.3.2), every path is asked with OPTIONS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from wsgi_matrix.model.results import Level
from wsgi_matrix.suites.contract.accepted_responses import Accept
from wsgi_matrix.util import json_schema
from wsgi_matrix.util.schema_types import Text, between, doc, expect, stated, whole, written_as
from wsgi_matrix.util.toml_file import TomlFile

_FIELD_NAME = expect("a field name in lower case", pattern=whole("[!#-'*+.0-9^-z|~-]+"))
"""A token of RFC 9110 section 5.6.2 without capitals."""
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


@dataclass(frozen=True, kw_only=True)
class AcceptTable:
    """A response that is accepted. What is left out is not compared."""

    status: Annotated[int, between(100, 599), doc("Its status.")]
    type: Annotated[Text, doc("Its Content-Type.")] = ""
    text: Annotated[str | None, doc("Its content, as text in UTF-8.")] = None
    json: Annotated[
        Any, stated(additionalProperties=True), doc("Its content, as a value of JSON.")
    ] = None
    pattern: Annotated[
        Annotated[int, between(0, 2**30)] | None,
        doc("Its content: this many octets, 00 01 … FF 00 …."),
    ] = None
    sha256: Annotated[
        str,
        written_as(Annotated[str, expect("64 hexadecimal digits", pattern=whole("[0-9a-f]{64}"))]),
        doc("The SHA-256 of its content."),
    ] = ""
    empty: Annotated[bool, doc("That it has no content.")] = False
    fields: Annotated[
        Mapping[str, tuple[str, ...]],
        written_as(dict[Annotated[str, _FIELD_NAME], tuple[str, ...]]),
        doc("Fields, and all values of each."),
    ] = field(default_factory=dict)
    without: Annotated[tuple[str, ...], doc("Text that its content must not have.")] = ()

    def accept(self) -> Accept:
        """What the suite compares with."""
        content = b"" if self.empty else None if self.text is None else self.text.encode()
        digest = self.sha256
        if self.pattern is not None:
            octets = (bytes(range(256)) * (self.pattern // 256 + 1))[: self.pattern]
            digest = sha256(octets).hexdigest()
        return Accept(
            status=self.status,
            type=self.type,
            content=content,
            size=self.pattern,
            digest=digest,
            json=self.json,
            fields=self.fields,
            without=self.without,
        )


@dataclass(frozen=True, kw_only=True)
class ExchangeTable:
    """A request to a path, and the responses that are accepted."""

    name: Annotated[Text, doc("The id of its check: unique in the file.")]
    method: Annotated[Text, doc("Its method.")] = "GET"
    target: Annotated[Text, doc("Its request-target. None: the path of the endpoint.")] = ""
    fields: Annotated[tuple[str, ...], doc("Its fields, as in X-One: 1.")] = ()
    body: Annotated[str | None, doc("Its body, as text in UTF-8.")] = None
    body_hex: Annotated[
        str | None,
        written_as(
            Annotated[
                str, expect("pairs of hexadecimal digits", pattern=whole("([0-9A-Fa-f]{2})+"))
            ]
        ),
        doc("Its body, in hexadecimal."),
    ] = None
    chunked: Annotated[bool, doc("Send the body in two chunks, without Content-Length.")] = False
    head: Annotated[bool, doc("Send a GET as HEAD, too.")] = True
    page: Annotated[bool, doc("The content is the framework's own, and is not compared.")] = False
    level: Annotated[
        Level, doc("How binding it is; what MAY be otherwise is told as a difference.")
    ] = Level.MUST
    joined: Annotated[
        tuple[str, ...], doc("Members of the JSON whose values are lists with commas.")
    ] = ()
    accept: Annotated[
        tuple[AcceptTable, ...], Meta(min_length=1), doc("Responses of which one is expected.")
    ]

    def asked(self, path: str, *, own: bool) -> list[Asked]:
        """The exchange, and the same as HEAD."""
        body = self.body.encode() if self.body is not None else None
        asked = Asked(
            name=self.name,
            method=self.method,
            target=self.target or path,
            fields=self.fields,
            body=bytes.fromhex(self.body_hex) if self.body_hex else body,
            chunked=self.chunked,
            accept=tuple(each.accept() for each in self.accept),
            level=self.level,
            joined=self.joined,
            page=self.page,
            own=own,
        )
        if asked.method != "GET" or not self.head:
            return [asked]
        head = replace(
            asked,
            name=f"{asked.name}-head",
            method="HEAD",
            body=None,
            accept=tuple(each.without_content() for each in asked.accept),
            # Content that must not come may come late: the end of the connection says that there
            # is none.
            fields=tuple(dict.fromkeys((*asked.fields, CLOSE))),
        )
        return [asked, head]


@dataclass(frozen=True, kw_only=True)
class EndpointTable:
    """A path of the contract, and what is sent there."""

    path: Annotated[Text, doc("The path; a part of it in braces stands for any.")]
    says: Annotated[Text, doc("What it responds with, for the documentation.")]
    methods: Annotated[tuple[str, ...], doc("Its methods, which Allow has to name.")]
    example: Annotated[
        Text, doc("A request-target of the path, for OPTIONS. None: that of the first exchange.")
    ] = ""
    own: Annotated[
        bool, doc("The content depends on the app: it is compared over servers, not over apps.")
    ] = False
    exchange: Annotated[tuple[ExchangeTable, ...], doc("What is sent there.")] = ()

    def endpoint(self) -> Endpoint:
        """What the suite sends."""
        asked = [made for each in self.exchange for made in each.asked(self.path, own=self.own)]
        example = self.example or self.path
        if "{" in example:
            example = next(made.target for made in asked)
        return Endpoint(
            path=self.path,
            says=self.says,
            methods=self.methods,
            asked=(*asked, _options(self.path, example, self.methods)),
        )


@dataclass(frozen=True, kw_only=True)
class ContractFile:
    """What every app responds with."""

    endpoint: Annotated[tuple[EndpointTable, ...], doc("Paths, and what is sent to each.")] = ()


def schema() -> dict[str, Any]:
    """The JSON Schema of the file."""
    return json_schema.of_file(ContractFile, "the contract of wsgi-matrix")


def load(file: Path) -> tuple[Endpoint, ...]:
    """Read the contract. Raises :class:`ConfigError`."""
    source = TomlFile(file)
    return from_data(source, source.read())


def from_data(source: TomlFile, data: dict[str, Any]) -> tuple[Endpoint, ...]:
    """The same of what was read already. Raises :class:`ConfigError`."""
    tables = source.convert(data, ContractFile).endpoint
    for number, table in enumerate(tables, 1):
        if "{" in (table.example or table.path) and not table.exchange:
            source.wrong(f"endpoint.{number}", 'the key "example" is missing')
    endpoints = tuple(table.endpoint() for table in tables)
    names = [asked.name for endpoint in endpoints for asked in endpoint.asked]
    for name in names:
        if names.count(name) > 1:
            source.wrong(name, "two exchanges have this name")
    return endpoints


def _options(path: str, target: str, methods: tuple[str, ...]) -> Asked:
    name = path.strip("/").partition("/")[0] + "-options"
    accept = tuple(Accept(status=code, allow=frozenset(methods)) for code in OPTIONS_STATUSES)
    return Asked(
        name=name, method="OPTIONS", target=target, accept=accept, level=Level.SHOULD, page=True
    )
