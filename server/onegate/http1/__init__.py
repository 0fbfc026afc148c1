"""HTTP/1.1 messages: bytes in, events out. No sockets, no clock, no WSGI (RFC 9110, RFC 9112)."""

from onegate.http1.chunked import ChunkedDecoder
from onegate.http1.errors import ProtocolError
from onegate.http1.request_head import Head
from onegate.http1.request_parser import HeadParser, MessageLimits
from onegate.http1.request_reader import NEED_DATA, Data, RequestReader

__all__ = [
    "NEED_DATA",
    "ChunkedDecoder",
    "Data",
    "Head",
    "HeadParser",
    "MessageLimits",
    "ProtocolError",
    "RequestReader",
]
