"""What a trusted proxy in front says about its client: ``Forwarded`` and ``X-Forwarded-*``.

They are used only from listed peers, and only the fields that are named: a proxy that sets one of
them may pass on the others as its client sent them. A list is read from its right end, where the
nearest proxy wrote, past every address that is itself trusted (RFC 7239, section 7.4).
"""

from __future__ import annotations

import re
import socket
from socket import inet_ntop, inet_pton

from onegate.http1 import grammar
from onegate.http1.cache import Cache
from onegate.settings_error import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FIELDS = {
    "forwarded": "HTTP_FORWARDED",
    "x-forwarded-for": "HTTP_X_FORWARDED_FOR",
    "x-forwarded-proto": "HTTP_X_FORWARDED_PROTO",
    "x-forwarded-host": "HTTP_X_FORWARDED_HOST",
}
# forwarded-pair = token "=" ( token / quoted-string )                      (RFC 7239, 4)
_PAIR = re.compile(r'[ \t]*([!#$%&\'*+\-.^_`|~\w]+)=("(?:[^"\\]|\\.)*"|[^",;\s]*)[ \t]*')
_IPV4, _IPV6 = int(socket.AF_INET), int(socket.AF_INET6)
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
        self._networks = _networks([entry for entry in packed if packed[entry] is None])
        names = {name.strip().lower() for name in fields.split(",") if name.strip()}
        if unknown := sorted(names - FIELDS.keys()):
            known = ", ".join(FIELDS)
            raise SettingsError(
                f"--forwarded-headers: unknown field {unknown[0]!r}, expected any of {known}"
            )
        self._keys = {FIELDS[name] for name in names}
        # No environ has the key "", which stands for a field that is not used.
        self._forwarded, self._for, self._proto, self._host = (
            FIELDS[name] if name in names else "" for name in FIELDS
        )
        self._known: Cache[str, bool] = Cache(1024)
        """Whether peers are trusted. Their clients are too many to be remembered."""

    def trusts(self, address: str) -> bool:
        """Whether ``address`` is a listed peer. A Unix socket has none: its file has a mode."""
        if self._everybody or not address:
            return True
        known = self._known.get(address)
        if known is None:
            packed = _packed(address.partition("%")[0])
            known = packed is not None and self._lists(packed)
            self._known.store(address, known)
        return known

    def _lists(self, packed: bytes) -> bool:
        """Whether the octets of an address are listed, or in a network that is."""
        packed = packed.removeprefix(_MAPPED)
        if packed in self._addresses:
            return True
        for size, network, mask in self._networks:
            if len(packed) == size and int.from_bytes(packed, "big") & mask == network:
                return True
        return self._everybody

    def concerns(self, environ: dict[str, Any]) -> bool:
        """Whether ``environ`` has any of the fields that are used from a trusted peer."""
        return not self._keys.isdisjoint(environ)

    def apply(self, environ: dict[str, Any]) -> None:
        """Set REMOTE_ADDR, wsgi.url_scheme and HTTP_HOST from the fields of a trusted peer."""
        peer = environ["REMOTE_ADDR"]
        if not self._known.get(peer) and not self.trusts(peer):
            return
        if (value := environ.get(self._forwarded)) is not None:
            client, proto, host = self._by_forwarded(value)
        else:
            client, proto, host = self._by_lists(environ)
        if client:
            environ["REMOTE_ADDR"] = client
            environ.pop("REMOTE_PORT", None)  # it was the proxy's
        scheme = proto.lower()
        if scheme == "https":
            environ["wsgi.url_scheme"] = scheme
            environ["HTTPS"] = "on"
        elif scheme == "http":
            environ["wsgi.url_scheme"] = scheme
            environ.pop("HTTPS", None)
        if host and grammar.HOST.fullmatch(host):
            environ["HTTP_HOST"] = host

    def _by_forwarded(self, value: str) -> tuple[str, str, str]:
        """Address, scheme and host that the client used, by a ``Forwarded`` field; "" where it does
        not say. Each hop is believed as far as the one behind it is trusted."""
        client = proto = host = ""
        for hop in reversed(_parse(value) or ()):
            proto, host = hop.get("proto", proto), hop.get("host", host)
            address, packed = _address(hop.get("for", ""))
            if not address:
                break
            client = address
            if not self._lists(packed):
                break
        return client, proto, host

    def _by_lists(self, environ: dict[str, Any]) -> tuple[str, str, str]:
        """The same by ``X-Forwarded-For``, ``-Proto`` and ``-Host``: lists, of which those members
        that are as far from the right end are of the same hop."""
        nodes, protos, hosts = (
            environ.get(self._for),
            environ.get(self._proto),
            environ.get(self._host),
        )
        client = proto = host = ""
        while True:
            if protos is not None:
                protos, proto = _pop(protos)
            if hosts is not None:
                hosts, host = _pop(hosts)
            if nodes is None:
                break
            nodes, node = _pop(nodes)
            address, packed = _address(node)
            if not address:
                break
            client = address
            if not self._lists(packed):
                break
        return client, proto, host


def _pop(members: str) -> tuple[str | None, str]:
    """The members of a list before the last one, if there are any, and that one."""
    if "," not in members:
        return None, members.strip(" \t")
    rest, _, last = members.rpartition(",")
    return rest, last.strip(" \t")


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


def _address(node: str) -> tuple[str, bytes]:
    """The address in a node such as ``192.0.2.1:80`` or ``[2001:db8::1]:80``, and its octets; ""
    if there is none."""
    if ":" not in node and (packed := _packed(node)) is not None:
        return node, packed  # of IPv4, of which there is but one spelling (inet_pton(3))
    if node.startswith("["):
        node = node[1:].partition("]")[0]
    elif node.count(":") == 1:
        node = node.partition(":")[0]
    address, percent, zone = node.partition("%")
    packed = _packed(address)
    if packed is None:
        return "", b""
    if len(packed) == 4:
        return "" if percent else address, packed
    if percent and re.fullmatch("[^%/]+", zone) is None:
        return "", b""
    return inet_ntop(_IPV6, packed) + percent + zone, packed


def _packed(address: str) -> bytes | None:
    """The octets of an address, the same for all its spellings; None if it is none."""
    try:
        return inet_pton(_IPV6 if ":" in address else _IPV4, address)
    except (OSError, ValueError):
        return None


def _networks(entries: list[str]) -> list[tuple[int, int, int]]:
    """For each of these networks how many octets an address in it has, what they are as a number,
    and its mask. Raises :class:`SettingsError`."""
    if not entries:
        return []
    import ipaddress  # noqa: PLC0415 - 0.2 MiB, and a single address needs none of it

    try:
        networks = [ipaddress.ip_network(entry, strict=False) for entry in entries]
    except ValueError as error:
        raise SettingsError(f"--forwarded-allow-ips: {error}") from None
    return [
        (each.max_prefixlen // 8, int(each.network_address), int(each.netmask)) for each in networks
    ]
