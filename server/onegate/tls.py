"""TLS by the standard library's ``ssl``, made to look like the plain sockets it stands for."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl

from onegate.settings import SettingsError

_RECORD = 16384
"""Octets of a TLS record at most (RFC 8446, 5.1), and of one write here. A write that would block
has to be repeated with as many octets at least (SSL_write(3)): so both are one record, wherever the
rest of an answer is kept meanwhile."""


def context(certfile: str, keyfile: str) -> ssl.SSLContext:
    """A server's context: TLS 1.2 or newer, HTTP/1.1 by ALPN.

    ``keyfile`` may be empty if the key stands in ``certfile``. Raises :class:`SettingsError`.
    """
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    result.minimum_version = ssl.TLSVersion.TLSv1_2
    result.set_alpn_protocols(["http/1.1"])
    try:
        result.load_cert_chain(certfile, keyfile or None)
    except ssl.SSLError as error:
        raise SettingsError(
            f"--certfile {certfile}: not a certificate with its key in PEM ({error.reason});"
            " is the key in another file? then name it with --keyfile"
        ) from None
    except OSError as error:
        raise SettingsError(
            f"--certfile {certfile}, --keyfile {keyfile}: {error.strerror}"
        ) from None
    return result


class TLSSocket:
    """The part of a socket's interface that a connection uses, over TLS and without blocking.

    The handshake goes on with whatever is read or written first, so that it holds up nobody.
    What ssl calls "want read" and "want write" is ``BlockingIOError`` here.
    """

    def __init__(self, sock: socket.SocketType, tls: ssl.SSLContext) -> None:
        whole = socket.socket(fileno=sock.detach())
        whole.setblocking(False)
        self._tls = tls.wrap_socket(whole, server_side=True, do_handshake_on_connect=False)
        self._established = False
        self._over = False
        self.fileno = self._tls.fileno
        self.getsockopt = self._tls.getsockopt
        self.setsockopt = self._tls.setsockopt
        self.setblocking = self._tls.setblocking

    def _establish(self) -> None:
        if not self._established and not self._over:
            self._tls.do_handshake()
            self._established = True

    def recv(self, count: int, flags: int = 0) -> bytes:
        """Read up to ``count`` octets. A short answer does not mean that there are no more."""
        try:
            self._establish()
            return self._tls.recv(count)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None

    def send(self, octets: bytes | memoryview, flags: int = 0) -> int:
        """Write what the client takes; return how many octets."""
        try:
            self._establish()
            return self._tls.send(octets[:_RECORD])
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None

    def send_range(self, descriptor: int, position: int, count: int) -> int:
        """What ``sendfile`` does for plain sockets."""
        block = os.pread(descriptor, min(count, _RECORD), position)
        return self.send(block) if block else 0

    def shutdown(self, how: int) -> None:
        """Tell the client that no more will come, in TLS and in TCP."""
        self._notify()
        self._tls.shutdown(how)

    def close(self) -> None:
        """Close the connection, in TLS first where that needs no waiting."""
        self._notify()
        self._tls.close()

    def abort(self) -> None:
        """End the connection in TCP alone, while another thread may be within OpenSSL."""
        # Not SSLSocket.shutdown(), after which a write of that thread would be one in plain text.
        socket.socket.shutdown(self._tls, socket.SHUT_RDWR)

    def _notify(self) -> None:
        if self._established and not self._over:
            self._over = True
            # The client's own notice, which has not come yet, is not waited for.
            with contextlib.suppress(OSError):
                self._tls.unwrap()


Transport = socket.SocketType | TLSSocket
"""What a connection reads from and writes to."""
