"""Heads of responses that an application gives again and again: checked once, and framed once for
each second that their ``Date`` says (:func:`onegate.http1.response_writer.frame_whole`).

All threads share what is remembered here (see :mod:`onegate.http1.cache`). What is stored is
complete and is not changed afterwards, but for ``whole``, which is one value.
"""

from __future__ import annotations

from onegate.http1.cache import Cache
from onegate.http1.response_validation import ResponseHead

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
