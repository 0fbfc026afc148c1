"""Listening sockets: made by the master, inherited by the workers."""

from __future__ import annotations

import errno
import os
import re
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from onegate.settings import SettingsError

_ADDRESS = re.compile(
    r"(?:\[(?P<ipv6>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^:\[\]]*)):(?P<port>[0-9]{1,5})"
)


@dataclass(frozen=True)
class Listener:
    """A listening socket and how it is called in messages and in the environ."""

    sock: socket.socket
    name: str
    server_name: str
    server_port: str
    path: Path | None = None
    """Of a Unix socket that this process made."""

    def unlink(self) -> None:
        """Remove the file of a Unix socket."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def listen(address: str, backlog: int) -> Listener:
    """Bind ``address`` and listen. Raises :class:`SettingsError` with what to do about it."""
    if address.startswith("unix:"):
        return _listen_unix(Path(address.removeprefix("unix:")), backlog)
    match = _ADDRESS.fullmatch(address)
    if match is None or int(match["port"]) > 65535:
        raise SettingsError(f"--bind {address}: not HOST:PORT, [IPV6]:PORT or unix:PATH")
    host, port = match["ipv6"] or match["host"] or "0.0.0.0", int(match["port"])  # noqa: S104 - an empty host means every interface, as everywhere
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise SettingsError(f"--bind {address}: unknown host {host!r} ({error.strerror})") from None
    except UnicodeError:
        # Raised for labels that no host name can have: empty ones, and those over 63 octets.
        raise SettingsError(f"--bind {address}: {host!r} is not a host name") from None
    try:
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SettingsError(f"--bind {address}: {_advice(error)}") from None
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by every accepted socket: one call here instead of one for each connection.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(where)
        sock.listen(backlog)
    except OSError as error:
        sock.close()
        raise SettingsError(f"--bind {address}: {_advice(error)}") from None
    sock.setblocking(False)
    return _named(sock)


def _named(sock: socket.socket) -> Listener:
    address, port = sock.getsockname()[:2]
    # In brackets in a URL and in SERVER_NAME alike (RFC 3986, 3.2.2; RFC 3875, 4.1.14).
    host = f"[{address}]" if sock.family == socket.AF_INET6 else address
    # An address that stands for all interfaces is no name to make URLs of (PEP 3333).
    server_name = socket.gethostname() if address in ("0.0.0.0", "::") else host  # noqa: S104
    return Listener(sock, f"http://{host}:{port}", server_name or "localhost", str(port))


def _listen_unix(path: Path, backlog: int) -> Listener:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_stale(path)
        sock.bind(str(path))
        sock.listen(backlog)
    except OSError as error:
        sock.close()
        raise SettingsError(f"--bind unix:{path}: {_advice(error)}") from None
    sock.setblocking(False)
    return Listener(sock, f"unix:{path}", "localhost", "80", path.absolute())


def _remove_stale(path: Path) -> None:
    """Remove a Unix socket that nobody listens on. One that is in use is never stolen."""
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise OSError(errno.EEXIST, "there is a file of that name that is no socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        code = probe.connect_ex(str(path))
    if code != errno.ECONNREFUSED:
        raise OSError(code or errno.EADDRINUSE, os.strerror(code or errno.EADDRINUSE))
    path.unlink()


def _advice(error: OSError) -> str:
    advice = {
        errno.EADDRINUSE: "already in use; stop what listens there or choose another",
        errno.EACCES: "permission denied; ports below 1024 need a privilege, and so may the folder",
        errno.EADDRNOTAVAIL: "this machine does not have that address",
        errno.EAGAIN: "already in use; stop what listens there or choose another",
    }
    return advice.get(error.errno or 0) or str(error.strerror or error)
