"""Reads the contract, ``apps/contract.toml``: exchanges with what is sent and accepted.

Every GET is also sent as HEAD (RFC 9110 section 9.3.2), and OPTIONS is sent to every path.
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
"""A token (RFC 9110 section 5.6.2) without upper-case letters."""
CLOSE = "Connection: close"
OPTIONS_STATUSES = (200, 204, 405)


@dataclass(frozen=True, kw_only=True)
class ContractExchange:
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
    """Whether the content is a page of the framework, which is not compared."""
    own: bool = False
    """Whether the content depends on the app: it is compared across servers, not across apps."""

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
    exchanges: tuple[ContractExchange, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class AcceptTable:
    """An accepted response. Only the given keys are compared."""

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
    empty: Annotated[bool, doc("Whether it has no content.")] = False
    fields: Annotated[
        Mapping[str, tuple[str, ...]],
        written_as(dict[Annotated[str, _FIELD_NAME], tuple[str, ...]]),
        doc("Fields, and all values of each."),
    ] = field(default_factory=dict)
    without: Annotated[tuple[str, ...], doc("Text that its content must not contain.")] = ()

    def accept(self) -> Accept:
        """The value that the suite compares with."""
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
    head: Annotated[bool, doc("Send a GET also as HEAD.")] = True
    page: Annotated[bool, doc("The content is the framework's own, and is not compared.")] = False
    level: Annotated[Level, doc("How binding it is; a violation of a MAY is a difference.")] = (
        Level.MUST
    )
    joined: Annotated[
        tuple[str, ...], doc("Members of the JSON whose values are comma-separated lists.")
    ] = ()
    accept: Annotated[
        tuple[AcceptTable, ...],
        Meta(min_length=1),
        doc("Accepted responses; one of them is expected."),
    ]

    def exchanges(self, path: str, *, own: bool) -> list[ContractExchange]:
        """The exchange, and the same one with HEAD."""
        body = self.body.encode() if self.body is not None else None
        spec = ContractExchange(
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
        if spec.method != "GET" or not self.head:
            return [spec]
        head = replace(
            spec,
            name=f"{spec.name}-head",
            method="HEAD",
            body=None,
            accept=tuple(each.without_content() for each in spec.accept),
            # Forbidden content may arrive late; only the end of the connection proves that there is
            # none.
            fields=tuple(dict.fromkeys((*spec.fields, CLOSE))),
        )
        return [spec, head]


@dataclass(frozen=True, kw_only=True)
class EndpointTable:
    """A path of the contract, and what is sent there."""

    path: Annotated[Text, doc("The path; a part in braces matches anything.")]
    says: Annotated[Text, doc("What it responds, for the documentation.")]
    methods: Annotated[tuple[str, ...], doc("Its methods, which Allow must list.")]
    example: Annotated[
        Text, doc("A request-target of the path, for OPTIONS. None: that of the first exchange.")
    ] = ""
    own: Annotated[
        bool, doc("Compare content across servers only, because it depends on the app.")
    ] = False
    exchange: Annotated[tuple[ExchangeTable, ...], doc("What is sent there.")] = ()

    def endpoint(self) -> Endpoint:
        """The exchanges that the suite sends."""
        specs = [made for each in self.exchange for made in each.exchanges(self.path, own=self.own)]
        example = self.example or self.path
        if "{" in example:
            example = next(made.target for made in specs)
        return Endpoint(
            path=self.path,
            says=self.says,
            methods=self.methods,
            exchanges=(*specs, _options(self.path, example, self.methods)),
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
    """Like :func:`load`, from parsed TOML. Raises :class:`ConfigError`."""
    tables = source.convert(data, ContractFile).endpoint
    for number, table in enumerate(tables, 1):
        if "{" in (table.example or table.path) and not table.exchange:
            source.wrong(f"endpoint.{number}", 'the key "example" is missing')
    endpoints = tuple(table.endpoint() for table in tables)
    names = [spec.name for endpoint in endpoints for spec in endpoint.exchanges]
    for name in names:
        if names.count(name) > 1:
            source.wrong(name, "two exchanges have this name")
    return endpoints


def _options(path: str, target: str, methods: tuple[str, ...]) -> ContractExchange:
    name = path.strip("/").partition("/")[0] + "-options"
    accept = tuple(Accept(status=code, allow=frozenset(methods)) for code in OPTIONS_STATUSES)
    return ContractExchange(
        name=name, method="OPTIONS", target=target, accept=accept, level=Level.SHOULD, page=True
    )
