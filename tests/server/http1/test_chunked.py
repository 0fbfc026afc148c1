"""The chunked transfer coding (RFC 9112, 7.1), by the numbers of the rules."""

from __future__ import annotations

from typing import Any

import pytest
from onegate.http1 import ChunkedDecoder, ProtocolError
from onegate.http1.chunked import MAX_LINE, MAX_OVERHEAD

from tests.server.http1.readers import all_in_two, one_by_one

WHOLE = b'5;a="b"\r\nhello\r\n7\r\n, world\r\n0;c\r\nX: 1\r\nY: 2\r\n\r\n'


def decode(*pieces: bytes, rest: bytes = b"", **limits: Any) -> bytes:
    """The content in ``pieces``, which have to be whole and to leave ``rest``."""
    decoder = ChunkedDecoder(**limits)
    buffer = bytearray()
    content = b""
    for piece in pieces:
        assert not decoder.done
        buffer += piece
        content += decoder.decode(buffer)
    assert decoder.done
    assert bytes(buffer) == rest
    return content


def refused(octets: bytes, **limits: Any) -> int:
    """The status with which ``octets`` are refused, at once and octet by octet alike."""
    told = set()
    for pieces in ([octets], one_by_one(octets)):
        with pytest.raises(ProtocolError) as caught:
            decode(*pieces, **limits)
        told.add((caught.value.status, caught.value.reason))
    assert len(told) == 1, told
    return told.pop()[0]


def test_R46_any_split_gives_the_same() -> None:
    assert decode(WHOLE) == b"hello, world"
    assert decode(*one_by_one(WHOLE)) == b"hello, world"
    for pieces in all_in_two(WHOLE):
        assert decode(*pieces) == b"hello, world"


def test_R46_data_is_given_as_it_comes() -> None:
    decoder = ChunkedDecoder()
    assert decoder.decode(bytearray(b"5\r\nhel")) == b"hel"
    assert decoder.decode(bytearray(b"lo\r")) == b"lo"
    assert not decoder.done


def test_R46_what_follows_is_left() -> None:
    assert decode(WHOLE + b"GET /", rest=b"GET /") == b"hello, world"


def test_R46_content_over_the_limit_is_413_from_the_size() -> None:
    assert decode(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", max_content=5) == b"abcde"
    assert refused(b"6\r\n", max_content=5) == 413
    assert refused(b"3\r\nabc\r\n3\r\n", max_content=5) == 413


def test_R47_huge_size_neither_overflows_nor_is_waited_for() -> None:
    assert refused(b"FFFFFFFFFFFFFFFF\r\n") == 413
    assert refused(b"100000000000000005\r\n") == 400
    assert refused(b"0" * 17 + b"\r\n") == 400
    assert refused(b"0" * (MAX_LINE + 2)) == 400
    assert decode(b"000000000000000" + b"1\r\nx\r\n0\r\n\r\n") == b"x"


def test_R48_extensions_are_ignored() -> None:
    for extension in (b";a", b";a=b", b';a="b;\\"c"', b" ; a = b", b"\t;\ta", b";a;b=c;d"):
        octets = b"2%b\r\nhi\r\n0%b\r\n\r\n" % (extension, extension)
        assert decode(octets) == b"hi", extension


def test_R48_extensions_have_a_grammar() -> None:
    for extension in (b";", b";=b", b";a=", b";a b", b';a="b', b" ", b"a=b", b",a", b";\xe4"):
        assert refused(b"2%b\r\nhi\r\n" % extension) == 400, extension


def test_R49_a_line_is_bounded() -> None:
    line = b"1;" + b"x" * (MAX_LINE - 2)
    assert decode(line + b"\r\nx\r\n0\r\n\r\n") == b"x"
    assert refused(line + b"x\r\nx\r\n0\r\n\r\n") == 400


def test_R49_extensions_are_bounded_in_sum() -> None:
    each = 32
    chunk = b"1;" + b"x" * (each + 8 - 2) + b"\r\nx\r\n"
    count = MAX_OVERHEAD // each
    assert decode(chunk * count + b"0\r\n\r\n") == b"x" * count
    assert refused(chunk * (count + 1)) == 400


def test_R49_sizes_as_they_are_needed_cost_nothing() -> None:
    count = MAX_OVERHEAD * 2
    assert decode(b"1\r\nx\r\n" * count + b"0\r\n\r\n") == b"x" * count


def test_R50_size_is_hexadecimal_digits_alone() -> None:
    for size in (b"0x5", b"+5", b"-5", b"5_0", b" 5", b"5 ", b"", b"g", b"5.0", b"\xb5"):
        assert refused(size + b"\r\nhello\r\n") == 400, size


def test_R51_data_is_followed_by_CRLF() -> None:
    for ending in (b"", b"x\r\n", b"\rx", b"\r\r\n", b" \r\n", b"\0\0"):
        assert refused(b"5\r\nhello%b0\r\n\r\n" % ending) == 400, ending


def test_R52_bare_LF_is_400_everywhere() -> None:
    for octets in (
        b"5\nhello\r\n",
        b"5;\nhello\r\n",
        b"5\r\nhello\n",
        b"0\n",
        b"0\r\n\n",
        b"0\r\nX: 1\n",
        b"\n",
    ):
        assert refused(octets) == 400, octets


def test_R53_empty_line_before_a_size_is_400() -> None:
    assert refused(b"\r\n5\r\n") == 400
    assert refused(b"1\r\nx\r\n\r\n0\r\n") == 400


def test_R54_trailer_fields_are_consumed() -> None:
    assert decode(b"0\r\nX: 1\r\nY:\r\nZ: \xe4\r\n\r\nGET", rest=b"GET") == b""


def test_R54_trailer_lines_are_field_lines() -> None:
    for line in (b"X", b"X : 1", b": 1", b" X: 1", b"X: \0", b"X: a\rb", b"\xe4: 1"):
        assert refused(b"0\r\n%b\r\n\r\n" % line) == 400, line
    assert refused(b"0\r\nX: a\r\n b\r\n\r\n") == 400


def test_R33_trailer_section_is_bounded_with_431() -> None:
    for size in range(12, 20):
        # A line of `size` octets and its end use up all the room there is, or one octet less.
        line = b"X: " + b"x" * (size - 3)
        assert decode(b"0\r\n%b\r\n\r\n" % line, max_trailer=size + 2) == b""
        assert refused(b"0\r\n%b\r\n\r\n" % line, max_trailer=size + 1) == 431
        assert refused(b"0\r\n%b\r\n\r\n" % line, max_trailer=size - 1) == 431
        assert refused(b"0\r\n%b" % line, max_trailer=size - 2) == 431


def test_R57_a_body_that_ends_early_is_not_done() -> None:
    for end in range(len(WHOLE)):
        decoder = ChunkedDecoder()
        decoder.decode(bytearray(WHOLE[:end]))
        assert not decoder.done, WHOLE[:end]
