"""What a parser has read before: names of fields, and whole heads of requests.

Whatever else differs, requests have the same few dozen names of fields, so a name that was found
valid is looked up from then on. A whole head comes again from whoever watches a server: a load
balancer, a monitor, a benchmark. Such a head is short; one that was seen twice is recognised by its
octets and not even copied: ``heads.get`` gives the same object each time, and its owner keeps with
it (``ready``) what it had made of it.

Nothing between the two is remembered. Of a thousand requests as they come, no two have the same
field lines: each has an address, a cookie, a trace or an id of its own. Reading a line costs less
than looking it up. What holds secrets is never remembered, and the memory is bounded.
"""

from __future__ import annotations

from onegate.http1.cache import Cache
from onegate.http1.request_head import Head

SECRET = ("cookie", "authorization", "proxy-authorization")
"""Names of the fields with which a head is not remembered."""
_LONGEST_NAME = 64
LONGEST_HEAD = 508
_END = b"\r\n\r\n"
REMEMBERED = LONGEST_HEAD + len(_END)
"""Octets of the longest head that is remembered as a whole."""


class RequestCache:
    """Of one parser, and with it of one thread at a time."""

    __slots__ = ("_secret", "heads", "keys")

    def __init__(self, secret: tuple[str | None, ...]) -> None:
        """``secret``: keys of the fields that are :data:`SECRET`."""
        self._secret = secret
        self.keys: Cache[str, str] = Cache(1024)
        """By names of fields as they were spelled, each with its colon."""
        self.heads: Cache[bytes, Head] = Cache(256)
        """By octets, with the empty line that ends them."""

    def add_name(self, name: str, key: str) -> None:
        """Remember the ``key`` of a valid name, if that is not too long."""
        if len(name) <= _LONGEST_NAME:
            self.keys.store(f"{name}:", key)

    def add_head(self, head: Head, octets: bytes) -> None:
        """Remember a head of at most :data:`LONGEST_HEAD` octets that comes again, if it has no
        content, no secret, and no query, which may be one."""
        if (
            not head.content_length
            and not head.chunked
            and "?" not in head.target
            and head.fields.keys().isdisjoint(self._secret)
        ):
            key = octets + _END
            if self.heads.repeats(key):
                self.heads.store(key, _copy(head))


def _copy(head: Head) -> Head:
    """A copy for the cache alone: the fields of ``head`` become an environ."""
    copy = Head()
    copy.line = head.line
    copy.method = head.method
    copy.target = head.target
    copy.minor = head.minor
    copy.fields = head.fields.copy()
    copy.authority = head.authority
    copy.content_length = 0
    copy.chunked = False
    copy.close = head.close
    copy.expect_continue = False
    copy.ready = None
    return copy
