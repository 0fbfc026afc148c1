"""What has to hold for any octets at all. Fuzzing and property tests ask it."""

from __future__ import annotations

import zlib

from onegate.http1 import HeadParser, MessageLimits

from tests.server.http1.others import assert_h11_agrees
from tests.server.http1.readers import BEHIND, Reading, at_random, key_of, one_by_one, read

SMALL = MessageLimits(request_line=48, field_size=40, fields=4, head=120, body=24)
"""Limits that short inputs reach."""
STATUSES = frozenset({400, 413, 414, 417, 431, 501, 505})


def check(octets: bytes) -> Reading:
    """Hold ``octets`` to what is asked of all.

    Nothing but ``ProtocolError`` is raised, neither the split nor what was parsed before matters,
    nothing is read behind an error, no more is kept than the limits allow (``read`` looks), and
    h11 agrees.
    """
    for limits in (SMALL, MessageLimits()):
        reading = read([octets], limits)
        splits = [one_by_one(octets)]
        splits += [at_random(octets, zlib.crc32(octets) + number) for number in range(3)]
        for pieces in splits:
            _assert_same(reading, read(pieces, limits))
        parser = HeadParser(limits, key_of)
        # Line by line, for no name of a field is known; all lines at once; remembered.
        for _ in range(3):
            _assert_same(reading, read([octets], limits, parser))
        _assert_same(reading, read([octets], limits, parser, in_one_step=False))
        if reading.error is not None:
            assert reading.error[0] in STATUSES, reading.error
            _assert_same(reading, read([octets + BEHIND], limits))
            _assert_same(reading, read([octets, BEHIND], limits))
    assert_h11_agrees(octets, reading)
    return reading


def _assert_same(one: Reading, other: Reading) -> None:
    assert one.error == other.error, f"{one.error} or {other.error}"
    if one.error is None:
        assert one == other
    else:
        assert one.whole == other.whole
