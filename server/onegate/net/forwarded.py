"""What a trusted proxy in front says about its client: ``Forwarded`` and ``X-Forwarded-*``.

They are used only from listed peers, and only the fields that are named: a proxy that sets one of
them may pass on the others as its client sent them. A list is read from its right end, where the
nearest proxy wrote, past every address that is itself trusted (RFC 7239, section 7.4).
"""

from __future__ import annotations

import re
import socket

from onegate.http1 import grammar
from onegate.http1.cache import Cache
from onegate.settings_error import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

FIELDS = {
    "forwarded": "HTTP_FORWARDED",
    "x-forwarded-for": "HTTP_X_FORWARDED_FOR",
    "x-forwarded-proto": "HTTP_X_FORWARDED_PROTO",
    "x-forwarded-host": "HTTP_X_FORWARDED_HOST",
}
# forwarded-pair = token "=" ( token / quoted-string )                      (RFC 7239, 4)
_PAIR = re.compile(r'[ \t]*([!#$%&\'*+\-.^_`|~\w]+)=("(?:[^"\\]|\\.)*"|[^",;\s]*)[ \t]*')
_FAMILIES = {4: socket.AF_INET, 16: socket.AF_INET6}
_MAPPED = bytes(10) + b"\xff\xff"
"""In front of an IPv4 address that is written as one of IPv6 (RFC 4291, 2.5.5.2)."""


class Forwarded:
    """Applies the fields of trusted peers to environs.

    ``allow``: addresses and networks separated by commas, ``*`` for every peer. ``fields``: the
    names of the fields to use. Raises :class:`SettingsError`.
    """

    def __init__(self, allow: str, fields: str) -> None:
        entries = [entry.strip() for entry in allow.split(",") if entry.strip()]
        self._everybody = "*" in entries
        packed = {entry: _packed(entry) for entry in entries if entry != "*"}
        self._addresses = set(packed.values()) - {None}
        self._in_network = _networks([entry for entry in packed if packed[entry] is None])
        names = {name.strip().lower() for name in fields.split(",") if name.strip()}
        if unknown := sorted(names - FIELDS.keys()):
            known = ", ".join(FIELDS)
            raise SettingsError(
                f"--forwarded-headers: unknown field {unknown[0]!r}, expected any of {known}"
            )
        self._keys = {FIELDS[name] for name in names}
        self._known: Cache[str, bool] = Cache(1024)

    def trusts(self, address: str) -> bool:
        """Whether ``address`` is a listed peer. A Unix socket has none: its file has a mode."""
        if self._everybody or not address:
            return True
        known = self._known.get(address)
        if known is None:
            known = self._listed(address)
            self._known.store(address, known)
        return known

    def _listed(self, address: str) -> bool:
        packed = _packed(address.partition("%")[0])
        if packed is None:
            return False
        packed = packed.removeprefix(_MAPPED)
        return packed in self._addresses or self._in_network(packed)

    def concerns(self, environ: dict[str, Any]) -> bool:
        """Whether ``environ`` has any of the fields that are used from a trusted peer."""
        return not self._keys.isdisjoint(environ)

    def apply(self, environ: dict[str, Any]) -> None:
        """Set REMOTE_ADDR, wsgi.url_scheme and HTTP_HOST from the fields of a trusted peer."""
        if self._keys.isdisjoint(environ):
            return
        if not self.trusts(environ["REMOTE_ADDR"]):
            return
        hops = self._hops(environ)
        if hops is None:
            return
        client = ""
        proto = host = ""
        for hop in reversed(hops):
            proto, host = hop.get("proto", proto), hop.get("host", host)
            address = _address(hop.get("for", ""))
            if not address:
                break
            client = address
            if not self.trusts(address):
                break
        if client:
            environ["REMOTE_ADDR"] = client
            environ.pop("REMOTE_PORT", None)  # it was the proxy's
        if proto.lower() in ("http", "https"):
            environ["wsgi.url_scheme"] = proto.lower()
            if proto.lower() == "https":
                environ["HTTPS"] = "on"
            else:
                environ.pop("HTTPS", None)
        if host and grammar.HOST.fullmatch(host):
            environ["HTTP_HOST"] = host

    def _hops(self, environ: dict[str, Any]) -> list[dict[str, str]] | None:
        """What the fields say of every hop, the client's first."""
        if "HTTP_FORWARDED" in self._keys and "HTTP_FORWARDED" in environ:
            return _parse(environ["HTTP_FORWARDED"])
        named = {
            name: [item.strip(" \t") for item in environ[key].split(",")]
            for name, key in (
                ("for", "HTTP_X_FORWARDED_FOR"),
                ("proto", "HTTP_X_FORWARDED_PROTO"),
                ("host", "HTTP_X_FORWARDED_HOST"),
            )
            if key in self._keys and key in environ
        }
        if not named:
            return None
        hops: list[dict[str, str]] = [{} for _ in range(max(map(len, named.values())))]
        for name, items in named.items():
            for hop, item in zip(reversed(hops), reversed(items), strict=False):
                hop[name] = item
        return hops


def _parse(value: str) -> list[dict[str, str]] | None:
    """The elements of a ``Forwarded`` field (RFC 7239, 4); None if it is malformed."""
    hops: list[dict[str, str]] = [{}]
    position = 0
    while True:
        match = _PAIR.match(value, position)
        if match is None:
            return None
        text = match[2]
        if text.startswith('"'):
            text = re.sub(r"\\(.)", r"\1", text[1:-1])
        hops[-1][match[1].lower()] = text
        position = match.end()
        if position == len(value):
            return hops
        if value[position] == ",":
            hops.append({})
        elif value[position] != ";":
            return None
        position += 1


def _address(node: str) -> str:
    """The address in a node such as ``192.0.2.1:80`` or ``[2001:db8::1]:80``; "" if none."""
    if node.startswith("["):
        node = node[1:].partition("]")[0]
    elif node.count(":") == 1:
        node = node.partition(":")[0]
    address, percent, zone = node.partition("%")
    packed = _packed(address)
    if packed is None or (percent and (len(packed) == 4 or re.fullmatch("[^%/]+", zone) is None)):
        return ""
    return socket.inet_ntop(_FAMILIES[len(packed)], packed) + percent + zone


def _packed(address: str) -> bytes | None:
    """The octets of an address, the same for all its spellings; None if it is none."""
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    except (OSError, ValueError):
        return None


def _networks(entries: list[str]) -> Callable[[bytes], bool]:
    """What tells whether an address is in one of these networks. Raises :class:`SettingsError`."""
    if not entries:
        return lambda packed: False
    import ipaddress  # noqa: PLC0415 - 0.2 MiB, and a single address needs none of it

    try:
        networks = [ipaddress.ip_network(entry, strict=False) for entry in entries]
    except ValueError as error:
        raise SettingsError(f"--forwarded-allow-ips: {error}") from None
    return lambda packed: any(ipaddress.ip_address(packed) in each for each in networks)
