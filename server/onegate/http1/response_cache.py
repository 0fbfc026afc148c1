"""Heads of responses that an application gives again and again: checked once, and framed once for
each second that their ``Date`` says.

All threads share what is remembered here (see :mod:`onegate.http1.cache`). What is stored is
complete and is not changed afterwards, but for ``whole``, which is one value.
"""

from __future__ import annotations

import time

from onegate.http1.cache import Cache
from onegate.http1.response_validation import ResponseHead
from onegate.http1.response_writer import WITHOUT_CONTENT, end_of_head

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.http1.request_head import Head

HEADS: Cache[tuple[object, ...], ResponseHead] = Cache(256)
"""By status and fields."""
_LONGEST = 1024
"""Octets of a head that is remembered."""


def response_head(status: str, fields: list[tuple[str, str]]) -> ResponseHead:
    """The checked head of a response. One that comes again is not checked again: it is equal, so it
    is as good.

    Raises as :class:`ResponseHead` does.
    """
    key = (status, *fields)
    try:
        known = HEADS.get(key)
    except TypeError:  # something in there is a list, say
        return ResponseHead(status, fields)
    if known is not None:
        return known
    # Of the key, not of the list: that is the application's, and its threads may share it.
    head = ResponseHead(status, key[1:])  # type: ignore[arg-type]  # the status is the first
    if not head.is_secret and len(head.octets) <= _LONGEST and HEADS.repeats(key):
        head.is_kept = True
        HEADS.store(key, head)
    return head


def frame_whole(
    head: ResponseHead, request: Head, close: bool, length: int, only: bool
) -> bytes | None:
    """The head's octets if the content at hand is all of it, else None.

    ``close``: whether the connection has to end. ``length``: octets of the content at hand.
    ``only``: whether there is no other content, as far as the server knows.

    With a head that is itself remembered they are kept in ``head.whole``, together with what they
    are for, since it is mostly wanted for the same again. Threads share it, so both are one value,
    stored once; and what is returned is for the caller, whatever another thread has stored
    meanwhile.
    """
    second = int(time.time())
    method, minor = request.method, request.minor
    declared = head.content_length
    octets: bytes | None = None
    if (
        length
        and (declared == length or (only and declared is None))
        and method != "HEAD"
        and head.code not in WITHOUT_CONTENT
    ):
        # As frame() does it for a content whose length is known.
        extra = b"" if declared is not None else b"Content-Length: %d\r\n" % length
        octets = end_of_head(head, head.octets, extra, minor, close, second)
    if head.is_kept:
        head.whole = (second, method, minor, close, length, only), octets
    return octets
