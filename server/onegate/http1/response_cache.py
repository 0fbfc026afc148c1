"""Heads of responses that an application gives again and again: checked once, and framed once for
each second that their ``Date`` says.

All threads share what is remembered here (see :mod:`onegate.http1.cache`). What is stored is
complete and is not changed afterwards, but for ``whole``, which is one value.
"""

from __future__ import annotations

import time

from onegate.http1.cache import Cache
from onegate.http1.response_validation import LINES, ResponseHead
from onegate.http1.response_writer import BY_LENGTH, frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.http1.request_head import Head

HEADS: Cache[tuple[object, ...], ResponseHead] = Cache(256)
"""By status and fields."""


def response_head(status: str, fields: list[tuple[str, str]]) -> ResponseHead:
    """The checked head of a response. One that comes again is not checked again: it is equal, so it
    is as good.

    Raises as :class:`ResponseHead` does.
    """
    key = (status, *fields)
    try:
        known = HEADS.get(key)
        if known is not None:
            return known
        repeats = HEADS.repeats(key)
    except TypeError:  # something in there is a list, say
        return ResponseHead(status, fields)
    # Of the key, not of the list: that is the application's, and its threads may share it.
    own: tuple[tuple[str, str], ...] = key[1:]  # type: ignore[assignment]  # the status is the first
    head = ResponseHead(status, own)
    if repeats and all(field in LINES.entries for field in own):  # none of them long, none a secret
        HEADS.store(key, head)
    return head


def frame_whole(
    head: ResponseHead, request: Head, close: bool, length: int, only: bool
) -> bytes | None:
    """The head's octets if the content at hand is all of it, else None.

    ``close``: whether the connection has to end. ``length``: octets of the content at hand.
    ``only``: whether there is no other content, as far as the server knows.

    They are kept in ``head.whole`` with what they are for, since a head that is itself remembered
    is mostly wanted for the same again. Threads share it, so both are one value, stored once; and
    what is returned is for the caller, whatever another thread has stored meanwhile.
    """
    second = time.time() // 1
    method, minor = request.method, request.minor
    declared = head.content_length
    octets: bytes | None = None
    if length and (declared == length or (only and declared is None)):
        octets, framing, _ = frame(
            head, method=method, minor=minor, close=close, length=length, second=int(second)
        )
        if framing is not BY_LENGTH:
            octets = None
    head.whole = (second, method, minor, close, length, only), octets
    return octets
