"""The PROXY protocol, versions 1 and 2: who the client of the proxy in front is.

    v1: "PROXY TCP4 source destination port port" CRLF, at most 107 octets
    v2: a signature of 12 octets, version and command, family, length, addresses

Read once, from the first octets of a connection, and from allowed peers only. Where it is enabled
it is required: if it were optional, any client could forge an address.
"""

from __future__ import annotations

import re
import socket
import struct

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
MAX_HEADER = 536
"""Octets to look at: v1 has up to 107; v2 with addresses and some extensions fits well."""
_V1_MAX = 107
_V1 = re.compile(
    rb"PROXY (?:(UNKNOWN)[^\r\n]*|TCP([46]) (\S+) (\S+) ([0-9]{1,5}) ([0-9]{1,5}))\r\n"
)

Peer = tuple[str, str]


class ProxyProtocolError(Exception):
    """The connection does not begin with a valid header."""


def take(sock: socket.SocketType, *, whole: bool) -> Peer | None:
    """Read the header, and nothing behind it; return what it says of the client.

    ``whole``: nothing more will come. Raises ``BlockingIOError`` if the header is incomplete,
    ``EOFError`` if it is and nothing more will come, ``OSError``, and :class:`ProxyProtocolError`.
    """
    octets = sock.recv(MAX_HEADER, socket.MSG_DONTWAIT | socket.MSG_PEEK)
    header = parse(octets) if octets else None
    if header is not None:
        peer, length = header
        sock.recv(length)
        return peer
    if octets and not whole:
        raise BlockingIOError
    sock.recv(len(octets), socket.MSG_DONTWAIT)  # unread, it would make the end a reset
    raise EOFError("connection closed before the end of the PROXY header")


def parse(octets: bytes) -> tuple[Peer | None, int] | None:
    """The client's address and port, and the header's length.

    The address is None if the proxy speaks for itself (LOCAL, UNKNOWN). None alone: more octets
    are needed. Raises :class:`ProxyProtocolError`.
    """
    if octets.startswith(_SIGNATURE[: len(octets)]):
        return _v2(octets)
    if octets.startswith(b"PROXY "[: len(octets)]):
        return _v1(octets)
    raise ProxyProtocolError("no PROXY header")


def _v1(octets: bytes) -> tuple[Peer | None, int] | None:
    end = octets.find(b"\r\n", 0, _V1_MAX)
    if end < 0:
        if len(octets) >= _V1_MAX:
            raise ProxyProtocolError("PROXY v1 header longer than 107 octets")
        return None
    match = _V1.fullmatch(octets[: end + 2])
    if match is None:
        raise ProxyProtocolError("invalid PROXY v1 header")
    if match[1]:
        return None, end + 2
    family = socket.AF_INET if match[2] == b"4" else socket.AF_INET6
    try:
        for address in (match[3], match[4]):
            socket.inet_pton(family, address.decode("ascii"))
    except (OSError, ValueError):
        raise ProxyProtocolError("invalid address in a PROXY v1 header") from None
    if int(match[5]) > 65535 or int(match[6]) > 65535:
        raise ProxyProtocolError("invalid port in a PROXY v1 header")
    return (match[3].decode("ascii"), str(int(match[5]))), end + 2


def _v2(octets: bytes) -> tuple[Peer | None, int] | None:
    if len(octets) < 16:
        return None
    version_command, family, length = struct.unpack_from("!BBH", octets, 12)
    if version_command not in (0x20, 0x21):
        raise ProxyProtocolError("unknown version or command in a PROXY v2 header")
    end = 16 + length
    if end > MAX_HEADER:
        raise ProxyProtocolError(f"PROXY v2 header longer than {MAX_HEADER} octets")
    if len(octets) < end:
        return None
    if version_command == 0x20 or family not in (0x11, 0x21):
        return None, end
    kind, size = (socket.AF_INET, 4) if family == 0x11 else (socket.AF_INET6, 16)
    if length < 2 * size + 4:
        raise ProxyProtocolError("PROXY v2 header too short for its addresses")
    address = socket.inet_ntop(kind, octets[16 : 16 + size])
    (port,) = struct.unpack_from("!H", octets, 16 + 2 * size)
    return (address, str(port)), end
