r"""What is in a line of the access log: formats, their atoms, and values that cannot break a line.

:func:`formatter` compiles a format, once. What a client sent is escaped as Apache does it: ``\"``,
``\\``, and ``\xhh`` for every octet that is not printable ASCII; so a line is one line, and its
quotes are its own. In JSON the encoder does this.
"""

from __future__ import annotations

import binascii
import os
import re
import time
from collections.abc import Callable

from onegate._suggest import hint
from onegate.http1.date import MONTHS, PerSecond
from onegate.logs.request_id import request_id
from onegate.settings_error import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


Environ = dict[str, "Any"]
Clean = Callable[[object], str]
Get = Callable[[Environ, int, str, int, float], object]
"""Gives an atom's value for environ, status, response field lines, octets and seconds."""
Format = Callable[[Environ, int, str, int, float], str]

COMMON = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s'
COMBINED = f'{COMMON} "%(f)s" "%(a)s"'
NAMED = {"common": COMMON, "combined": COMBINED}

_DIRECTIVE = re.compile(r"%(?:\(([^()]*)\)[sd]|(%)|)")

_UNSAFE = re.compile(r"[^ !#-\[\]-~]")


# ── values ───────────────────────────────────────────────────────────────────────────────────────


def escape(value: object) -> str:
    """``value`` as printable ASCII without quotes and backslashes of its own."""
    text = value if type(value) is str else str(value)
    if _UNSAFE.search(text) is None:
        return text
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if character in '"\\':
        return "\\" + character
    code = ord(character)
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )


def shorten(text: str, length: int) -> str:
    """At most ``length`` characters of ``text``, and dots for the others."""
    return text if len(text) <= length else text[:length] + "..."


def cleaner(length: int | None) -> Clean:
    """:func:`escape`, of at most ``length`` characters if that is given."""
    if length is None:
        return escape
    return lambda value: escape(shorten(str(value), length))


def user(environ: Environ) -> str:
    """The user's name in Basic credentials (RFC 7617); "-" without them. Not authenticated!"""
    scheme, _, credentials = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    if scheme.lower() != "basic":
        return "-"
    try:
        pair = binascii.a2b_base64(credentials.strip(), strict_mode=True).decode("latin-1")
    except (binascii.Error, ValueError):
        return "-"
    return pair.partition(":")[0] or "-"


def _timestamps(second: int) -> tuple[str, str]:
    local = time.localtime(second)
    minutes = local.tm_gmtoff // 60
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"
    common = (
        f"[{local.tm_mday:02d}/{MONTHS[local.tm_mon - 1]}/{local.tm_year}"
        f":{local.tm_hour:02d}:{local.tm_min:02d}:{local.tm_sec:02d} {zone}]"
    )
    return common, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


timestamps = PerSecond(_timestamps)
"""A second of Unix time in the common log format, and as RFC 3339 has it up to its seconds."""


def iso_time(now: float) -> str:
    """Unix time in the format of RFC 3339, in UTC, with microseconds."""
    second = int(now)
    return f"{timestamps.at(second)[1]}.{int((now - second) * 1e6):06d}Z"


# ── formats ──────────────────────────────────────────────────────────────────────────────────────


def _atoms(clean: Clean) -> dict[str, Get]:
    """The atoms by their names; values from a client go through ``clean``."""

    def variable(key: str) -> Get:
        return lambda environ, *_: clean(environ.get(key) or "-")

    def request_line(environ: Environ, *_: object) -> str:
        method = environ.get("REQUEST_METHOD")
        if method is None:
            return "-"  # it was refused before even that was read
        protocol = environ.get("SERVER_PROTOCOL")
        if protocol is None:  # it was refused before that was read
            return clean(f"{method} {environ.get('RAW_URI')}")
        return clean(f"{method} {environ.get('RAW_URI')} {protocol}")

    return {
        "h": variable("REMOTE_ADDR"),
        "l": lambda *_: "-",
        "u": lambda environ, *_: clean(user(environ)) if "HTTP_AUTHORIZATION" in environ else "-",
        "t": lambda *_: timestamps.at(int(time.time()))[0],
        "r": request_line,
        "s": lambda _environ, status, *_: status,
        "m": variable("REQUEST_METHOD"),
        "U": variable("PATH_INFO"),
        "q": lambda environ, *_: clean(environ.get("QUERY_STRING", "")),
        "H": variable("SERVER_PROTOCOL"),
        "b": lambda _environ, _status, _fields, octets, _seconds: octets or "-",
        "B": lambda _environ, _status, _fields, octets, _seconds: octets,
        "f": variable("HTTP_REFERER"),
        "a": variable("HTTP_USER_AGENT"),
        "T": lambda _environ, _status, _fields, _octets, seconds: int(seconds),
        "M": lambda _environ, _status, _fields, _octets, seconds: int(seconds * 1e3),
        "D": lambda _environ, _status, _fields, _octets, seconds: int(seconds * 1e6),
        "L": lambda _environ, _status, _fields, _octets, seconds: f"{seconds:.6f}",
        "p": lambda *_: f"<{os.getpid()}>",
    }


def _of_request(name: str, clean: Clean) -> Get:
    """``{name}i``: a field of the request."""
    key = name.upper().replace("-", "_")
    if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        key = f"HTTP_{key}"
    return lambda environ, *_: clean(environ.get(key) or "-")


def _of_response(name: str, clean: Clean) -> Get:
    """``{name}o``: a field of the response, its lines combined (RFC 9110, 5.3)."""
    line = re.compile(rf"^{re.escape(name)}:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
    return lambda _environ, _status, fields, *_: clean(", ".join(line.findall(fields)) or "-")


def _of_environ(name: str, clean: Clean) -> Get:
    """``{name}e``: a variable of the environ."""
    if name == "onegate.request_id":
        return lambda environ, *_: clean(request_id(environ))

    def variable(environ: Environ, *_: object) -> str:
        value = environ.get(name, "-")
        return clean("-" if value == "" else value)  # as REMOTE_ADDR on a Unix socket

    return variable


_KINDS = {"i": _of_request, "o": _of_response, "e": _of_environ}


def formatter(text: str, length: int | None = None) -> Format:
    """The function that makes lines of the format ``text``: common, combined, json, or atoms.

    ``length``: characters kept of each value, if not all.

    Raises :class:`SettingsError` if something in it is no atom.
    """
    text = NAMED.get(text, text)
    if text in ("json", "off"):
        return _json(length)
    clean = cleaner(length)
    atoms = _atoms(clean)
    template = ""
    gets: list[Get] = []
    position = 0
    for match in _DIRECTIVE.finditer(text):
        template += text[position : match.start()].replace("\n", "\\n")
        position = match.end()
        if match[2]:
            template += "%%"
            continue
        template += "%s"
        gets.append(_atom(match[1], atoms, clean))
    template += text[position:]
    if not gets:
        raise SettingsError(
            f"--access-log {text!r}: expected {', '.join(_WORDS)} or a format with atoms such as"
            " %(h)s"
        )
    getters = tuple(gets)

    def line(environ: Environ, status: int, fields: str, octets: int, seconds: float) -> str:
        return template % tuple([get(environ, status, fields, octets, seconds) for get in getters])

    return line


_WORDS = ("off", *NAMED, "json")


def _atom(name: str | None, atoms: dict[str, Get], clean: Clean) -> Get:
    if name is None:
        raise SettingsError(
            "--access-log: % must begin an atom such as %(h)s; write %% for a percent sign"
        )
    if match := re.fullmatch(r"\{([^{}]+)\}([ioe])", name):
        return _KINDS[match[2]](match[1], clean)
    try:
        return atoms[name]
    except KeyError:
        near = hint(name, atoms) or "; known are " + " ".join(atoms) + " {name}i {name}o {name}e"
        raise SettingsError(f"--access-log: unknown atom %({name})s{near}") from None


_FIELDS = (
    ("remote_addr", "REMOTE_ADDR"),
    ("method", "REQUEST_METHOD"),
    ("target", "RAW_URI"),
    ("protocol", "SERVER_PROTOCOL"),
    ("host", "HTTP_HOST"),
    ("referer", "HTTP_REFERER"),
    ("user_agent", "HTTP_USER_AGENT"),
)


def _json(length: int | None) -> Format:
    """Objects of JSON. A character of a text stands for an octet, as in the environ."""
    import json  # noqa: PLC0415 - only for this format

    encode = json.JSONEncoder(separators=(",", ":"), default=str).encode

    def line(environ: Environ, status: int, fields: str, octets: int, seconds: float) -> str:
        entry: dict[str, object] = {"time": iso_time(time.time()), "pid": os.getpid()}
        entry["request_id"] = request_id(environ)
        for name, key in _FIELDS:
            entry[name] = environ.get(key)
        entry["remote_addr"] = entry["remote_addr"] or None  # empty on a Unix socket
        entry["user"] = user(environ) if "HTTP_AUTHORIZATION" in environ else None
        entry["status"] = status
        entry["octets"] = octets
        entry["seconds"] = round(seconds, 6)
        if length is not None:
            for name, value in entry.items():
                entry[name] = shorten(value, length) if isinstance(value, str) else value
        return encode(entry)

    return line
