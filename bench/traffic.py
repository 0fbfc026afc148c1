"""Requests of which no two are alike, made from a seed: what a server behind a proxy receives.

Each request comes from a visitor's browser or from an API client, through a proxy that terminates
TLS, spreads all clients over its connections, and adds who asked and for which request.

======== ===== ================================================================================
kind     share request
======== ===== ================================================================================
page      34 % a link that is followed: ``GET /catalog/CATEGORY/NUMBER`` with up to 4 parameters
fetch     26 % the script of a page: ``GET /api/search?q=…``
form       6 % a form of a page: ``POST /account/address``, 40 to 110 octets, urlencoded
lookup    24 % an API client: ``GET /v1/orders/NUMBER``, with or without parameters
create    10 % an API client: ``POST /v1/orders``, 60 to 150 octets of JSON
======== ===== ================================================================================

**Browsers** (page, fetch, form) are those of ``VISITORS`` people, each with a user agent, an
address, languages, and the cookies ``session``, ``csrftoken``, ``_ga`` and up to two more, which
stay the same, while ``seen`` is the cookie that the visitor's latest response has set. They send
``User-Agent``, ``Accept``, ``Accept-Language``, ``Accept-Encoding``, ``Referer``, ``Cookie``,
``Sec-Fetch-*``, and, by kind and at random, ``Upgrade-Insecure-Requests``, ``sec-ch-ua*``, ``DNT``,
``Priority``, ``Cache-Control``, ``X-Requested-With``, ``X-CSRFToken``, ``Origin``.

**API clients** (lookup, create) are ``CLIENTS`` programs. They send ``User-Agent``, ``Accept``,
``Accept-Encoding``, ``Authorization`` with a token (opaque, or in three parts) that is new in one
request of four, ``traceparent``, and at random ``tracestate``, ``baggage``, ``If-None-Match``,
``Idempotency-Key``, ``X-Client-Version``.

**The proxy** adds ``X-Forwarded-For`` (one address, or two of which the second is a CDN's),
``X-Forwarded-Proto``, ``X-Real-IP`` and a new ``X-Request-ID``; at random ``X-Forwarded-Host``,
``X-Forwarded-Port``, ``Via``. With a connection for each request it adds ``Connection: close``.

With and without ``Connection``, each request has ``LEAST_FIELDS`` to ``MOST_FIELDS`` field lines
and, its content included, ``LEAST_OCTETS`` to ``MOST_OCTETS`` octets; a draw that does not is
repeated.

The apps in ``bench/apps`` respond to each request with ``Request.text``, its ``X-Request-ID`` as
``X-Correlation-ID`` and a cookie of its own, so that no two responses are alike either.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote_plus, urlencode

SEED = 16
COUNT = 20_000
SHARES = {"page": 34, "fetch": 26, "form": 6, "lookup": 24, "create": 10}
BROWSERS = ("page", "fetch", "form")
VISITORS, CLIENTS = 4000, 400
LEAST_FIELDS, MOST_FIELDS = 10, 22
LEAST_OCTETS, MOST_OCTETS = 400, 1100
PADDING = 1500  # the greatest number of octets that a response is made longer by
CLOSE = ("Connection", "close")

HOST = "shop.example.com"
CATEGORIES = ("books", "garden", "kitchen", "lighting", "outdoor", "paper", "tools", "toys")
WORDS = (
    *("amber", "birch", "canvas", "cedar", "cobalt", "copper", "cotton", "ember", "fern", "flint"),
    *("glass", "granite", "indigo", "ivory", "juniper", "lantern", "linen", "maple", "marble"),
    *("moss", "oak", "olive", "opal", "pebble", "pine", "quartz", "raven", "russet", "sage"),
    *("sandal", "silver", "slate", "spruce", "teal", "thistle", "velvet", "walnut", "willow"),
)
LANGUAGES = ("en-GB,en;q=0.9", "en-US,en;q=0.8", "de-DE,de;q=0.9,en;q=0.6", "fr,en;q=0.7,*;q=0.5")
CAMPAIGNS = ("spring", "newsletter-48", "partner_7", "search")
PROGRAMS = ("stock-sync", "billing", "courier", "labels", "reports")


@dataclass(frozen=True)
class Request:
    """A request as it is sent. ``fields``: names and values, in order, without ``Connection``."""

    kind: str
    method: str
    path: str
    query: str
    fields: tuple[tuple[str, str], ...]
    content: bytes = b""

    def octets(self, *, close: bool = False) -> bytes:
        """What goes over the wire; with ``close``, the connection ends with the response."""
        target = f"{self.path}?{self.query}" if self.query else self.path
        lines = [f"{self.method} {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in (*self.fields, *([CLOSE] if close else []))]
        return "\r\n".join((*lines, "", "")).encode("ascii") + self.content

    def get(self, name: str) -> str:
        """The value of a field, empty if it is not there."""
        return next((value for each, value in self.fields if each == name), "")

    @property
    def cookie(self) -> str:
        """The value of the cookie ``seen`` that the response sets."""
        return self.get("X-Request-ID")[:8]

    def text(self) -> bytes:
        """The content of the response: of the request's own, and of a length of its own."""
        identifier, who = self.get("X-Request-ID"), self.get("Authorization")[-12:]
        for pair in self.get("Cookie").split("; "):
            if pair.startswith("session="):
                who = pair.partition("=")[2]
        values: dict[str, object] = {"quantity": 0, "note": ""}
        if self.content:
            values = (
                json.loads(self.content)
                if self.kind == "create"
                else dict(parse_qsl(self.content.decode("ascii")))
            )
        lines = (
            f"{self.method} {self.path}",
            dict(parse_qsl(self.query)).get("q", ""),
            who,
            f"{values['quantity']} {values['note']}",
            identifier,
            "." * (int(identifier[:3], 16) % PADDING),
        )
        return "".join(f"{line}\n" for line in lines).encode("ascii")


@dataclass(frozen=True)
class Visitor:
    """A person with a browser."""

    agent: str
    brands: str  # of sec-ch-ua; empty for a browser that does not send it
    platform: str
    languages: str
    address: str
    cookies: tuple[str, ...]
    token: str


@dataclass(frozen=True)
class Client:
    """A program that uses the API."""

    agent: str
    address: str
    account: str
    opaque: bool  # its tokens are random digits, not three parts


def _hex(draw: random.Random, digits: int) -> str:
    return f"{draw.getrandbits(4 * digits):0{digits}x}"


def _address(draw: random.Random) -> str:
    if draw.random() < 0.2:
        parts = (f"{draw.getrandbits(16):x}" for _ in range(4))
        return f"2001:db8:{':'.join(parts)}::{draw.randrange(1, 99)}"
    return ".".join(str(draw.randrange(1, 255)) for _ in range(4))


def _visitor(draw: random.Random) -> Visitor:
    system, platform = draw.choice(
        (
            ("Windows NT 10.0; Win64; x64", "Windows"),
            ("Macintosh; Intel Mac OS X 10_15_7", "macOS"),
            ("X11; Linux x86_64", "Linux"),
            ("Linux; Android 14; K", "Android"),
        )
    )
    version, brands = draw.randrange(118, 144), ""
    if draw.random() < 0.65:
        engine = "AppleWebKit/537.36 (KHTML, like Gecko)"
        agent = f"Mozilla/5.0 ({system}) {engine} Chrome/{version}.0.0.0 Safari/537.36"
        brands = f'"Chromium";v="{version}", "Not_A Brand";v="{draw.choice((8, 24, 99))}"'
    else:
        agent = f"Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"
    first_seen = draw.randrange(1_600_000_000, 1_764_000_000)
    cookies = [
        f"session={_hex(draw, 32)}",
        f"csrftoken={_hex(draw, 24)}",
        f"_ga=GA1.1.{draw.getrandbits(30)}.{first_seen}",
    ]
    if draw.random() < 0.5:
        cookies.append(f"theme={draw.choice(('light', 'dark', 'auto'))}")
    if draw.random() < 0.4:
        cookies.append(f"consent={_hex(draw, 12)}.{draw.randrange(1, 5)}")
    draw.shuffle(cookies)
    languages = draw.choice(LANGUAGES)
    return Visitor(
        agent, brands, platform, languages, _address(draw), tuple(cookies), _hex(draw, 24)
    )


def _client(draw: random.Random) -> Client:
    agent = draw.choice(
        (
            f"python-requests/2.{draw.randrange(20, 34)}.{draw.randrange(4)}",
            f"{draw.choice(PROGRAMS)}/{draw.randrange(1, 9)}.{draw.randrange(30)}",
            f"okhttp/4.{draw.randrange(9, 13)}.0",
            f"Go-http-client/1.{draw.randrange(1, 3)}",
        )
    )
    return Client(agent, _address(draw), _hex(draw, 12), draw.random() < 0.35)


class Traffic:
    """All requests of one seed, drawn in order."""

    def __init__(self, seed: int = SEED) -> None:
        self.draw = random.Random(seed)  # noqa: S311 - no secret
        self.visitors = [_visitor(self.draw) for _ in range(VISITORS)]
        self.clients = [_client(self.draw) for _ in range(CLIENTS)]
        self.seen = [_hex(self.draw, 8) for _ in range(VISITORS)]
        self.tokens = [self.token(each) for each in self.clients]

    def requests(self, count: int = COUNT) -> list[Request]:
        """``count`` requests, no two alike."""
        kinds, weights = list(SHARES), list(SHARES.values())
        found: dict[bytes, Request] = {}
        while len(found) < count:
            kind = self.draw.choices(kinds, weights)[0]
            number = self.draw.randrange(VISITORS if kind in BROWSERS else CLIENTS)
            while not _fits(request := self.request(kind, number)):
                pass
            found.setdefault(request.octets(), request)
            if kind in BROWSERS:
                self.seen[number] = request.cookie
        return list(found.values())

    def request(self, kind: str, number: int) -> Request:
        """One of a kind, from the visitor or the client of a number, of whatever size."""
        draw = self.draw
        query, content, media_type = "", b"", ""
        if kind in BROWSERS:
            address, fields = self.visitors[number].address, self.browser(number, kind)
        else:
            address, fields = self.clients[number].address, self.program(number, kind)
        if kind == "page":
            path = f"/catalog/{draw.choice(CATEGORIES)}/{draw.randrange(1, 90_000)}"
            query = self.parameters(("page", "sort", "utm_source", "ref"))
        elif kind == "fetch":
            path, query = "/api/search", self.parameters(("limit", "cursor"))
        elif kind == "lookup":
            path = f"/v1/orders/{draw.randrange(10**6, 10**7)}"
            query = self.parameters(("expand", "locale")) if draw.random() < 0.6 else ""
        else:
            values = {
                "quantity": draw.randrange(1, 100),
                "street": f"{draw.choice(WORDS).title()} Street {draw.randrange(1, 200)}",
                "note": " ".join(draw.choices(WORDS, k=draw.randrange(3, 9))),
            }
            if kind == "form":
                path, media_type = "/account/address", "application/x-www-form-urlencoded"
                content = urlencode(values).encode()
            else:
                path, media_type = "/v1/orders", "application/json"
                content = json.dumps({**values, "express": draw.random() < 0.2}).encode()
            fields += [("Content-Type", media_type), ("Content-Length", str(len(content)))]
        fields = [("Host", HOST), *fields, *self.proxy(address)]
        return Request(kind, "POST" if content else "GET", path, query, tuple(fields), content)

    def parameters(self, names: Iterable[str]) -> str:
        """A query: always ``q``, and some of ``names``."""
        draw = self.draw
        pairs = [("q", "-".join(draw.choices(WORDS, k=draw.randrange(1, 4))))]
        for name in names:
            if draw.random() < 0.45:
                value = draw.choice((*WORDS, *CAMPAIGNS)) + draw.choice((" ", "/", "", "+", "&"))
                pairs.append((name, value + str(draw.randrange(1000))))
        draw.shuffle(pairs)
        return "&".join(f"{name}={quote_plus(value)}" for name, value in pairs)

    def browser(self, number: int, kind: str) -> list[tuple[str, str]]:
        """The fields of a browser."""
        draw, visitor = self.draw, self.visitors[number]
        page = f"https://{HOST}/catalog/{draw.choice(CATEGORIES)}/{draw.randrange(1, 90_000)}"
        cookies = "; ".join((*visitor.cookies, f"seen={self.seen[number]}"))
        fields = [("User-Agent", visitor.agent)]
        if kind == "fetch":
            fields += [("Accept", draw.choice(("*/*", "application/json, text/plain, */*")))]
        else:
            fields += [
                ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
            ]
        fields += [
            ("Accept-Language", visitor.languages),
            ("Accept-Encoding", "gzip, deflate, br, zstd"),
            ("Referer", page),
            ("Cookie", cookies),
            ("Sec-Fetch-Site", "same-origin"),
            ("Sec-Fetch-Mode", "cors" if kind == "fetch" else "navigate"),
            ("Sec-Fetch-Dest", "empty" if kind == "fetch" else "document"),
        ]
        if kind != "fetch":
            fields += self.some(
                (0.9, "Upgrade-Insecure-Requests", "1"), (0.8, "Sec-Fetch-User", "?1")
            )
        else:
            fields += self.some(
                (0.6, "X-Requested-With", "XMLHttpRequest"), (0.5, "X-CSRFToken", visitor.token)
            )
        if kind == "form":
            fields += [("Origin", f"https://{HOST}")]
        if visitor.brands and draw.random() < 0.7:
            fields += [
                ("sec-ch-ua", visitor.brands),
                ("sec-ch-ua-mobile", "?1" if visitor.platform == "Android" else "?0"),
                ("sec-ch-ua-platform", f'"{visitor.platform}"'),
            ]
        fields += self.some(
            (0.15, "DNT", "1"),
            (0.4, "Priority", draw.choice(("u=0, i", "u=1, i", "u=4"))),
            (0.2, "Cache-Control", draw.choice(("no-cache", "max-age=0"))),
        )
        return fields

    def program(self, number: int, kind: str) -> list[tuple[str, str]]:
        """The fields of an API client."""
        draw, client = self.draw, self.clients[number]
        if draw.random() < 0.25:
            self.tokens[number] = self.token(client)
        span = _hex(draw, 16)
        fields = [
            ("User-Agent", client.agent),
            ("Accept", draw.choice(("application/json", "*/*", "application/vnd.api+json"))),
            ("Accept-Encoding", draw.choice(("gzip", "gzip, deflate", "gzip, deflate, br"))),
            ("Authorization", f"Bearer {self.tokens[number]}"),
            ("traceparent", f"00-{_hex(draw, 32)}-{span}-0{draw.randrange(2)}"),
        ]
        fields += self.some(
            (0.4, "tracestate", f"vendor={span},other={_hex(draw, 12)}"),
            (0.2, "baggage", f"account={client.account},region={draw.choice(('eu', 'us', 'ap'))}"),
            (0.3, "X-Client-Version", f"{draw.randrange(1, 5)}.{draw.randrange(40)}"),
        )
        if kind == "create":
            fields += self.some((0.7, "Idempotency-Key", _hex(draw, 32)))
        else:
            fields += self.some((0.3, "If-None-Match", f'"{_hex(draw, 16)}"'))
        return fields

    def proxy(self, address: str) -> list[tuple[str, str]]:
        """The fields that a proxy adds."""
        draw = self.draw
        identifier = uuid.UUID(int=draw.getrandbits(128), version=4)
        behind_cdn = f"{address}, 198.51.100.{draw.randrange(1, 255)}"
        return [
            ("X-Forwarded-For", behind_cdn if draw.random() < 0.35 else address),
            ("X-Forwarded-Proto", "https"),
            ("X-Real-IP", address),
            ("X-Request-ID", str(identifier)),
            *self.some(
                (0.5, "X-Forwarded-Host", HOST),
                (0.4, "X-Forwarded-Port", "443"),
                (0.15, "Via", f"1.1 edge-{draw.randrange(1, 40)}"),
            ),
        ]

    def some(self, *fields: tuple[float, str, str]) -> list[tuple[str, str]]:
        """Those of ``fields`` that are drawn, each with its own probability."""
        return [(name, value) for share, name, value in fields if self.draw.random() < share]

    def token(self, client: Client) -> str:
        """A token in three parts, in the form of a JSON Web Token, or an opaque one."""
        if client.opaque:
            return _hex(self.draw, 40)
        parts = (_hex(self.draw, 20), client.account + _hex(self.draw, 60), _hex(self.draw, 43))
        return ".".join(parts)


def _fits(request: Request) -> bool:
    """Whether a request keeps the limits, with ``Connection: close`` and without."""
    fields = len(request.fields)
    return (
        fields >= LEAST_FIELDS
        and fields + 1 <= MOST_FIELDS
        and len(request.octets()) >= LEAST_OCTETS
        and len(request.octets(close=True)) <= MOST_OCTETS
    )


def file(state: Path, *, close: bool = False) -> Path:
    """Where :func:`write` puts the requests of one kind of connection."""
    return state / ("traffic-close" if close else "traffic")


def write(requests: Iterable[Request], state: Path) -> None:
    """Write requests for ``scripts/wrk.lua`` and ``scripts/rate.py``: each after its length."""
    requests = list(requests)
    for close in (False, True):
        parts = [each.octets(close=close) for each in requests]
        octets = b"".join(b"%d\n%b" % (len(part), part) for part in parts)
        file(state, close=close).write_bytes(octets)


def read(path: Path) -> list[bytes]:
    """The requests of a file that :func:`write` has written."""
    octets, place, found = path.read_bytes(), 0, []
    while place < len(octets):
        start = octets.index(b"\n", place) + 1
        place = start + int(octets[place : start - 1])
        found.append(octets[start:place])
    return found
