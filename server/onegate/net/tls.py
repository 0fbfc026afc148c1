"""TLS by the standard library's ``ssl``, with the interface of a plain socket."""

from __future__ import annotations

import contextlib
import os
import ssl
from socket import SHUT_RDWR, SocketType, socket

from onegate.settings_error import SettingsError

_RECORD = 16384
"""Octets of a TLS record at most (RFC 8446, 5.1), and of one write here. A write that would block
has to be repeated with as many octets at least (SSL_write(3)): so both are one record, wherever the
rest of a response is kept meanwhile."""


def context(certfile: str, keyfile: str) -> ssl.SSLContext:
    """A server's context: TLS 1.2 or newer, HTTP/1.1 by ALPN.

    ``keyfile`` may be empty if the key stands in ``certfile``. Raises :class:`SettingsError`.
    """
    for option, path in (("certfile", certfile), ("keyfile", keyfile)):
        _readable(option, path)
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    result.minimum_version = ssl.TLSVersion.TLSv1_2
    result.set_alpn_protocols(["http/1.1"])
    encrypted = False

    def no_pass_phrase() -> str:
        nonlocal encrypted
        encrypted = True
        return ""

    try:
        result.load_cert_chain(certfile, keyfile or None, no_pass_phrase)
    except (OSError, ValueError) as error:
        raise SettingsError(_what_is_wrong(certfile, keyfile, error, encrypted)) from None
    return result


def _readable(option: str, path: str) -> None:
    """OpenSSL does not say which of the two files it means."""
    if path:
        try:
            with open(path, "rb") as file:
                file.read(1)
        except OSError as error:
            raise SettingsError(f"--{option} {path}: {error.strerror}") from None


def _what_is_wrong(certfile: str, keyfile: str, error: Exception, encrypted: bool) -> str:
    key = f"--keyfile {keyfile}" if keyfile else f"the key in --certfile {certfile}"
    if encrypted:
        return f"{key}: encrypted keys are not supported; decrypt it with openssl pkey"
    reason = getattr(error, "reason", None) or ""
    if reason == "KEY_VALUES_MISMATCH":
        return f"{key}: does not match the certificate in --certfile {certfile}"
    detail = f" ({reason})" if reason else ""
    if keyfile:
        return (
            f"--certfile {certfile}, --keyfile {keyfile}: not a certificate and its key in PEM"
            f" format{detail}"
        )
    return (
        f"--certfile {certfile}: not a certificate with its key in PEM format{detail};"
        " if the key is in another file, add --keyfile FILE"
    )


class TLSSocket:
    """The part of a socket's interface that a connection uses, over TLS and without blocking.

    The handshake proceeds with each read and write, so that it never blocks.
    What ssl calls "want read" and "want write" is ``BlockingIOError`` here.

    It is what ``ssl.SSLSocket`` is made of, and not one of these: an application may have put
    another class in its place (gevent, eventlet), with which ``wrap_socket`` of a context that was
    there before fails.
    """

    def __init__(self, sock: SocketType, context: ssl.SSLContext) -> None:
        self._sock = whole = socket(fileno=sock.detach())
        whole.setblocking(False)
        self._tls = context._wrap_socket(whole, server_side=True)  # type: ignore[attr-defined]  # of _ssl
        self._established = False
        self._over = False
        self.fileno = whole.fileno
        self.getsockopt = whole.getsockopt
        self.setsockopt = whole.setsockopt
        self.setblocking = whole.setblocking

    def _establish(self) -> None:
        if not self._established and not self._over:
            self._tls.do_handshake()
            self._established = True

    def recv(self, count: int, flags: int = 0) -> bytes:
        """Read up to ``count`` octets. A short read does not mean that there are no more."""
        try:
            self._establish()
            octets: bytes = self._tls.read(count)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None
        except ssl.SSLEOFError:
            return b""  # without TLS's own notice, as most clients end
        else:
            return octets

    def send(self, octets: bytes | memoryview, flags: int = 0) -> int:
        """Write what the client takes; return how many octets."""
        try:
            self._establish()
            count: int = self._tls.write(octets[:_RECORD])
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None
        else:
            return count

    def send_range(self, descriptor: int, position: int, count: int) -> int:
        """What ``sendfile`` does for plain sockets."""
        block = os.pread(descriptor, min(count, _RECORD), position)
        return self.send(block) if block else 0

    def shutdown(self, how: int) -> None:
        """Signal the end of what is sent, in TLS and in TCP."""
        self._notify()
        self._sock.shutdown(how)

    def close(self) -> None:
        """Close the connection, in TLS first where that needs no waiting."""
        self._notify()
        self._sock.close()

    def abort(self) -> None:
        """End the connection in TCP alone, while another thread may be within OpenSSL."""
        self._sock.shutdown(SHUT_RDWR)

    def _notify(self) -> None:
        if self._established and not self._over:
            self._over = True
            # The client's own notice, which has not come yet, is not waited for.
            with contextlib.suppress(OSError):
                self._tls.shutdown()


Transport = SocketType | TLSSocket
"""What a connection reads from and writes to."""
