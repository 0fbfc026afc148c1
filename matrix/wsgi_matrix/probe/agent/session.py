"""A session: sequential requests, with the cookies and captured values of earlier responses.

Each is sent on a new connection. Cookies are stored as in a browser (``http.cookiejar``); the URL
is treated as ``https:``, as for an app behind a proxy, because ``Secure`` cookies would be lost
otherwise.
"""

from __future__ import annotations

import base64
import json
import re
import time
import urllib.parse
from collections.abc import Callable, Iterator
from email.message import Message
from http.cookiejar import CookieJar
from typing import Any
from urllib.request import Request

from . import digest_auth
from .exchange import Result, exchange
from .jsonpath import find, parse
from .load_adjusted_clock import Patience
from .response_reader import ResponseReader, dechunk, field_values

PLACE = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")
"""The placeholder of a captured value."""
FORM = "application/x-www-form-urlencoded"


class NotCapturedError(Exception):
    """A value that a request needs was not captured, or would make the request invalid."""


class Answered:
    """A response as far as ``http.cookiejar`` needs it."""

    def __init__(self, head: bytes) -> None:
        self.message = Message()
        for value in field_values(head, b"set-cookie"):
            self.message["Set-Cookie"] = value.decode("latin-1")

    def info(self) -> Message:
        """The fields."""
        return self.message


def octets(
    method: str, target: str, host: str, fields: list[tuple[str, str]], body: bytes | None
) -> bytes:
    """The octets of a request (RFC 9112)."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8") + (body or b"")


class Session:
    """Runs one session. ``largest``: maximum octets of a response; ``patience``: seconds for the
    first response of the session, and for each other."""

    def __init__(
        self,
        host: str,
        port: int,
        patience: tuple[float, float],
        largest: int,
        most: Callable[[float], float] = float,
    ) -> None:
        """``most``: converts seconds to the maximum seconds by the clock."""
        self.address = (host, port)
        self.patience = patience
        self.most = most
        self.largest = largest
        self.jar = CookieJar()
        self.values: dict[str, str] = {}
        self.known: set[str] = set()
        """Names that are captured somewhere; any other ``{{…}}`` is plain text."""

    def run(self, asks: list[dict[str, Any]], deadline: float) -> Iterator[tuple[bytes, Result]]:
        """Send all of ``asks`` until the monotonic time ``deadline``: what was sent, what came."""
        self.known = {name for ask in asks for name, _, _ in ask["captures"]}
        for number, ask in enumerate(asks):
            patience = self.patience[bool(number)]
            try:
                url, request = self._request(ask)
            except NotCapturedError as problem:
                yield b"", Result(b"", f"not sent: {problem}", "", 0.0)
                continue
            result = self._exchange(request, deadline, patience)
            if ask["digest"] and (challenged := self._challenged(ask, result)):
                url, request = challenged
                result = self._exchange(request, deadline, patience)
            if result.response and not result.error:
                self._keep(ask, url, result.response)
            yield request, result

    def _exchange(self, request: bytes, deadline: float, patience: float) -> Result:
        until = min(deadline, time.monotonic() + self.most(patience))
        return exchange(*self.address, request, Patience(patience, until), self.largest)

    def _challenged(self, ask: dict[str, Any], result: Result) -> tuple[str, bytes] | None:
        """The request again, with the credentials for the challenge in a 401 response."""
        if result.error or result.response.split(b" ", 2)[1:2] != [b"401"]:
            return None
        self._keep(ask, f"https://{ask['host']}{self._target(ask['target'])}", result.response)
        reader = ResponseReader(ask["method"].encode())
        reader.feed(result.response)
        reader.end()
        user, password = ask["digest"]
        target = self._target(ask["target"])
        value = digest_auth.response(user, password, ask["method"], target, reader.head)
        if value is None:
            return None
        return self._request({**ask, "fields": [*ask["fields"], ["Authorization", value]]})

    def _request(self, ask: dict[str, Any]) -> tuple[str, bytes]:
        target = self._target(ask["target"])
        url = f"https://{ask['host']}{target}"
        fields = [(name, self._field(name, value)) for name, value in ask["fields"]]
        media = next((v for n, v in fields if n.lower() == "content-type"), "")
        own = next((v for n, v in fields if n.lower() == "cookie"), "")
        fields = [(n, v) for n, v in fields if n.lower() != "cookie"]
        if cookie := self._cookie(url, own) if ask["cookies"] else own:
            fields.append(("Cookie", cookie))
        body = None if ask["body"] is None else base64.b64decode(ask["body"])
        if body is not None:
            body = self._body(body, media)
        return url, octets(ask["method"], target, ask["host"], fields, body)

    def _field(self, name: str, value: str) -> str:
        """A value with captured parts, which must not end the line (RFC 9110 section 5.5)."""
        filled = self._filled(value)
        if re.search(r"[\0\r\n]", filled):
            raise NotCapturedError(f"{name} would be {filled!r}, which is not a valid field value")
        return filled

    def _filled(self, text: str, encode: Any = str) -> str:
        def value(found: re.Match[str]) -> str:
            if found[1] not in self.known:
                return found[0]
            try:
                return str(encode(self.values[found[1]]))
            except KeyError:
                raise NotCapturedError(f"no earlier response provided {{{{{found[1]}}}}}") from None

        return PLACE.sub(value, text)

    def _target(self, target: str) -> str:
        whole = PLACE.match(target)
        if not whole:
            return self._filled(target, lambda value: urllib.parse.quote(value, safe="/"))
        # A captured Location, for example, whose path and query are the target, unchanged.
        parts = urllib.parse.urlsplit(self._filled(whole[0]))
        start = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        if not re.fullmatch(r"/[\x21-\x7e]*", start):
            raise NotCapturedError(f"{whole[0]} is {start!r}, which is not a valid request target")
        return start + self._filled(target[whole.end() :], urllib.parse.quote)

    def _body(self, body: bytes, media: str) -> bytes:
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            return body  # binary content, without {{name}}
        kind = media.partition(";")[0].strip().lower()
        if kind == FORM:
            return self._filled(text, urllib.parse.quote_plus).encode()
        if kind.endswith("json"):
            return self._filled(text, lambda value: json.dumps(value)[1:-1]).encode()
        return self._filled(text).encode()

    def _cookie(self, url: str, own: str) -> str:
        """Cookies from responses override those of the same name in the request."""
        request = Request(url)  # noqa: S310 - it is never opened
        self.jar.add_cookie_header(request)
        kept = request.get_header("Cookie") or ""
        names = {part.partition("=")[0].strip() for part in kept.split(";")}
        pairs = [part.strip() for part in own.split(";") if part.strip()]
        written = [pair for pair in pairs if pair.partition("=")[0] not in names]
        return "; ".join([*filter(None, [kept]), *written])

    def _keep(self, ask: dict[str, Any], url: str, response: bytes) -> None:
        reader = ResponseReader(ask["method"].encode())
        reader.feed(response)
        reader.end()
        if ask["cookies"]:
            self.jar.extract_cookies(Answered(reader.head), Request(url))  # type: ignore[arg-type] # noqa: S310 - see Answered; never opened
        body = response[response.find(reader.head) + len(reader.head) :]
        codings = b",".join(field_values(reader.head, b"transfer-encoding")).lower()
        if body and b"chunked" in codings:
            body = dechunk(body)
        for name, kind, where in ask["captures"]:
            value = captured(kind, where, reader.head, body)
            if value is not None:
                self.values[name] = value


def captured(kind: str, where: str, head: bytes, body: bytes) -> str | None:
    """The value that a capture finds in a response; ``None`` if there is none."""
    if kind == "header":
        values = field_values(head, where.lower().encode())
        return values[0].decode("latin-1") if values else None
    if kind == "cookie":
        for value in field_values(head, b"set-cookie"):
            name, _, rest = value.decode("latin-1").partition("=")
            if name.strip() == where:
                return rest.partition(";")[0].strip()
        return None
    text = body.decode("utf-8", "replace")
    if kind == "regex":
        found = re.search(where, text)
        return found[min(1, found.re.groups)] if found else None
    try:
        first = next(find(json.loads(text), parse(where)), None)
        return first if isinstance(first, str) or first is None else json.dumps(first)
    except (ValueError, RecursionError):
        return None
