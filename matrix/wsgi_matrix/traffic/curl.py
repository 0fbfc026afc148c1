"""Converts a curl command in a .http file to the request that curl would send.

Options that only affect the connection are ignored; unknown ones that would change the request are
an error.
"""

from __future__ import annotations

import argparse
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote_plus

from wsgi_matrix.traffic import authorization

COMMAND = re.compile(r"\s*(?:\$\s+)?curl(?:\.exe)?\s", re.IGNORECASE)
FORM = "application/x-www-form-urlencoded"
QUIET = ("-s", "-S", "-v", "-i", "-k", "-L", "-f", "-N", "-#", "-g")
PASSED_OVER = (
    *("--silent", "--show-error", "--verbose", "--include", "--insecure", "--location", "--fail"),
    *("--no-buffer", "--progress-bar", "--globoff", "--ipv4", "--ipv6", "--http1.1", "--http2"),
    *("--http1.0", "--fail-with-body", "--no-progress-meter", "--tcp-nodelay", "--path-as-is"),
)
WITH_VALUE = (
    *("-o", "--output", "-w", "--write-out", "-m", "--max-time", "--connect-timeout", "--retry"),
    *("-c", "--cookie-jar", "-x", "--proxy", "--resolve", "--cacert", "--retry-delay"),
)


@dataclass(frozen=True, kw_only=True)
class Command:
    """The request of a command."""

    method: str
    url: str
    fields: tuple[tuple[str, str], ...]
    body: bytes | None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raises ``ValueError``."""
        raise ValueError(f"curl: {message}")


class _Data(argparse.Action):
    """The data of all options, in order (curl(1), --data)."""

    def __call__(
        self, parser: object, space: argparse.Namespace, value: object, option: str | None = None
    ) -> None:
        space.data.append((option, value))


def _parser() -> _Parser:
    parser = _Parser(prog="curl", add_help=False, allow_abbrev=False)
    parser.add_argument("-X", "--request")
    parser.add_argument("-H", "--header", action="append", default=[])
    data = ("-d", "--data", "--data-ascii", "--data-binary", "--data-raw", "--data-urlencode")
    parser.add_argument(*data, "--json", action=_Data, dest="data", default=[])
    parser.add_argument("-b", "--cookie", action="append", default=[])
    parser.add_argument("-u", "--user")
    parser.add_argument("-A", "--user-agent")
    parser.add_argument("-e", "--referer")
    parser.add_argument("-I", "--head", action="store_true")
    parser.add_argument("-G", "--get", action="store_true")
    parser.add_argument("--compressed", action="store_true")
    parser.add_argument("--basic", action="store_true")
    parser.add_argument("--url", dest="url")
    parser.add_argument("urls", nargs="*")
    parser.add_argument(*QUIET, *PASSED_OVER, action="store_true", dest="passed_over")
    parser.add_argument(*WITH_VALUE, dest="with_value")
    return parser


def read(text: str, folder: Path) -> Command:
    """The request of a command; ``@file`` is relative to ``folder``. Raises ``ValueError``."""
    try:
        words = shlex.split(text.replace("\\\n", " "))
    except ValueError as problem:
        raise ValueError(f"curl: {problem}") from None
    words = words[words.index(next(x for x in words if x.lower().startswith("curl"))) + 1 :]
    found = _parser().parse_intermixed_args(words)
    urls = [*found.urls, *([found.url] if found.url else [])]
    if len(urls) != 1:
        raise ValueError(f"curl: expected one URL, not {' '.join(urls) or 'none'}")
    fields = [_field(each) for each in found.header]
    names = {name.lower() for name, _ in fields}

    def default(name: str, value: str) -> None:
        if name.lower() not in names:
            names.add(name.lower())
            fields.append((name, value))

    if found.user is not None:
        user, _, password = found.user.partition(":")
        default("Authorization", authorization.basic(user, password))
    if found.user_agent:
        default("User-Agent", found.user_agent)
    if found.referer:
        default("Referer", found.referer)
    if found.compressed:
        default("Accept-Encoding", "deflate, gzip")
    for each in found.cookie:
        if "=" not in each:
            raise ValueError(f"curl: cookie files are not supported: {each}")
    if found.cookie:
        default("Cookie", "; ".join(found.cookie))
    body, url = _data(found.data, folder), urls[0]
    if found.get and body is not None:
        url, body = url + ("&" if "?" in url else "?") + body.decode(), None
    if body is not None:
        plain = any(option != "--json" for option, _ in found.data)
        default("Content-Type", FORM if plain else "application/json")
        if not plain:
            default("Accept", "application/json")
    method = found.request or ("HEAD" if found.head else "POST" if body is not None else "GET")
    # A field that curl removes ("Accept:") has no value.
    sent = tuple((name, value) for name, value in fields if value)
    return Command(method=method, url=url, fields=sent, body=body)


def _field(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon and text.endswith(";"):
        return text[:-1], ""
    if not colon:
        raise ValueError(f'curl: expected a field such as "Accept: text/html", not {text!r}')
    return name.strip(), value.strip()


def _data(given: list[tuple[str, str]], folder: Path) -> bytes | None:
    """The data of all options, joined as by curl."""
    parts = []
    for option, text in given:
        if option == "--data-urlencode":
            name, equals, value = text.partition("=")
            if not equals and "@" in text:
                raise ValueError(f"curl: --data-urlencode {text}: files are not supported")
            escaped = quote_plus(value if equals else name)
            parts.append(f"{name}={escaped}" if name and equals else escaped)
            continue
        if text.startswith("@") and option != "--data-raw":
            try:
                content = (folder / text[1:]).read_bytes()
            except OSError as problem:
                raise ValueError(f"curl: {folder / text[1:]}: {problem.strerror}") from None
            if option not in ("--data-binary", "--json"):
                content = content.replace(b"\r", b"").replace(b"\n", b"")
            parts.append(content.decode("utf-8", "surrogateescape"))
        else:
            parts.append(text)
    if not given:
        return None
    joined = ("" if all(option == "--json" for option, _ in given) else "&").join(parts)
    return joined.encode("utf-8", "surrogateescape")
