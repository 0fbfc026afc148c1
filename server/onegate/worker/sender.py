"""Where an answer goes: to the client's socket, and what that does not take to a buffer.

Sent from the application's thread, flushed by the loop; between the two stands the service's lock.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import time
from select import poll

from onegate.worker.output_buffer import TURN, FileSegment, OutBuffer, ResponseCutError
from onegate.wsgi import ClientGone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from onegate.net.tls import Transport
    from onegate.worker.service import Service

DONTWAIT: Final = socket.MSG_DONTWAIT
_DONTWAIT_MORE: Final = socket.MSG_DONTWAIT | socket.MSG_MORE
PROGRESS = 16384
"""Octets that renew the time-out of a body or of an answer; fewer do not."""
TOO_SLOW = "the client took less than 16 KiB of it in --write-timeout"
_BEAT = 0.2
"""Seconds between two signs of life of a call that is held up by its client."""
_PAUSE = 0.005

log = logging.getLogger("onegate.error")


class Sender:
    """The sending half of a :class:`onegate.worker.connection.Connection`; see
    :class:`onegate.wsgi.handler.Output`."""

    __slots__ = ("_corks", "_out", "_service", "_streams", "deadline", "sock")

    _service: Service
    _corks: bool
    """Whether the kernel can hold the end of an answer back: not of TLS, nor of AF_UNIX."""
    _out: OutBuffer | None
    _streams: bool
    """Whether something of this answer was sent, and more is to follow."""
    deadline: float
    """Monotonic seconds at which the client has waited too long; of a call, when it began."""
    sock: Transport

    def send(self, octets: bytes) -> None:
        """Send what the client takes, keep the rest. Raises :class:`ClientGone`."""
        if self._streams:
            self._service.alive(self)
        self._streams = True
        self.send_last(octets, False, False)

    def send_last(self, octets: bytes, close: bool, hold: bool = True) -> None:
        """The same for the end of an answer, and with ``close`` of the connection. With ``hold`` it
        may wait a moment in the kernel, which sends it within 200 ms whatever we do (tcp(7),
        TCP_CORK)."""
        flags = DONTWAIT
        if hold and self._corks and (service := self._service).quick:
            if close:  # to go in one segment with the end of the connection
                flags = _DONTWAIT_MORE
            elif service.gathering:
                service.gathered.append(self.sock)
                flags = _DONTWAIT_MORE
        if not self._out:
            try:
                count = self.sock.send(octets, flags)
            except BlockingIOError:
                count = 0
            except OSError as error:
                raise ClientGone from error
            if count == len(octets):
                return
            octets = memoryview(octets)[count:]  # type: ignore[assignment]  # a view, not a copy
        out = self._output()
        try:
            with self._service.lock:
                rest = out.append(octets)
                with contextlib.suppress(BlockingIOError):
                    out.flush(self.sock)
            if rest:
                self._wait_for_client(out, rest)
        except ResponseCutError as error:
            raise ClientGone(str(error)) from error
        except OSError as error:
            raise ClientGone from error

    def send_file(self, descriptor: int, position: int, count: int) -> None:
        """Send part of a file without reading it. Raises :class:`ClientGone`."""
        out = self._output()
        try:
            segment = FileSegment(descriptor, position, count, own=False)
            with self._service.lock:
                out.append_file(segment)
                with contextlib.suppress(BlockingIOError):
                    out.flush(self.sock, TURN)  # nothing follows, and the loop goes on with it
                out.keep(segment)
        except ResponseCutError as error:
            raise ClientGone(str(error)) from error
        except OSError as error:
            raise ClientGone from error

    def _output(self) -> OutBuffer:
        if self._out is None:
            self._out = OutBuffer(self._service.settings.response_memory, self._service.spool)
        return self._out

    def _wait_for_client(self, out: OutBuffer, rest: memoryview) -> None:
        """Hold the application until there is room for the ``rest`` of its block.

        A client that takes :data:`PROGRESS` octets in each ``--write-timeout`` is waited for as
        long as it takes, and that is no call that is stuck; another one is given up. Raises
        :class:`ClientGone` and ``OSError``.
        """
        service = self._service
        timeout = service.settings.write_timeout
        room = poll()
        room.register(self.sock, select.POLLOUT)
        since, taken = time.monotonic(), out.sent
        while rest:
            service.alive(self)
            room.poll(_BEAT * 1000)
            with service.lock:
                before = out.sent
                with contextlib.suppress(BlockingIOError):
                    out.flush(self.sock)
                rest = out.append(rest)
                if rest and not out:  # no memory either: as it is taken
                    with contextlib.suppress(BlockingIOError):
                        count = self.sock.send(rest, DONTWAIT)
                        rest = rest[count:]
                        out.sent += count
            if out.error and not out.reported:
                out.reported = True
                log.warning(
                    "a response of more than --response-memory cannot be spooled: %s;"
                    " its application waits for the client",
                    out.error.strerror,
                )
            now = time.monotonic()
            if out.sent - taken >= PROGRESS:
                since, taken = now, out.sent
            elif now - since > timeout:
                with service.lock:
                    out.fail(TimeoutError(TOO_SLOW))
                raise ClientGone
            if out.sent == before:
                time.sleep(_PAUSE)  # the socket has room, and yet takes nothing: TLS may do so
