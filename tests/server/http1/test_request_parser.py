"""Request line and fields (RFC 9112, 3 and 5), by the numbers of the rules."""

from __future__ import annotations

import pytest
from onegate.http1 import Head, HeadParser, MessageLimits, ProtocolError

from tests.server.http1.readers import key_of

PARSER = HeadParser(MessageLimits(), key_of)
SPECIAL = {
    *("host", "content-length", "transfer-encoding", "connection", "expect", "content-type"),
}


def parse(*lines: str, limits: MessageLimits | None = None) -> Head:
    """A head of these lines; "Host: a" is added if none of them is a Host."""
    if not any(line.lower().startswith("host:") for line in lines[1:]):
        lines = (*lines, "Host: a")
    parser = HeadParser(limits, key_of) if limits else PARSER
    return parser.parse("\r\n".join(lines).encode("latin-1"))


def refused(*lines: str, limits: MessageLimits | None = None) -> int:
    """The status with which a head of these lines is refused."""
    with pytest.raises(ProtocolError) as caught:
        parse(*lines, limits=limits)
    return caught.value.status


def field(line: str) -> str:
    """The value that ``X`` has after ``line``."""
    value = parse("GET / HTTP/1.1", line).fields["x"]
    assert isinstance(value, str)
    return value


# ── request line ─────────────────────────────────────────────────────────────────────────────────


def test_R3_bare_CR_in_head_is_400() -> None:
    assert refused("GET / HTTP/1.1", "X: a\rb") == 400
    assert refused("GET /\r HTTP/1.1") == 400


def test_R4_white_space_before_first_field_is_400() -> None:
    assert refused("GET / HTTP/1.1", " Host: a") == 400
    assert refused("GET / HTTP/1.1", "\tX: 1") == 400


def test_R5_octets_above_ascii_in_method_and_name_are_400() -> None:
    for code in range(0x80, 0x100):
        assert refused(f"G{chr(code)} / HTTP/1.1") == 400
        assert refused("GET / HTTP/1.1", f"X{chr(code)}: 1") == 400


def test_R6_any_white_space_but_one_SP_in_request_line_is_400() -> None:
    for space in ("  ", "\t", " \t", "\x0b", "\x0c", "\x85", "\xa0", ""):
        assert refused(f"GET{space}/ HTTP/1.1") == 400
        assert refused(f"GET /{space}HTTP/1.1") == 400


def test_R7_invalid_request_line_is_not_corrected() -> None:
    assert refused("GET /a b HTTP/1.1") == 400
    assert refused("GET /a%20b c%20d HTTP/1.1") == 400


def test_R8_line_over_the_limit_is_414() -> None:
    limits = MessageLimits(request_line=8190)
    longest = "/" + "x" * (8190 - len("GET / HTTP/1.1"))
    assert parse(f"GET {longest} HTTP/1.1", limits=limits).target == longest
    assert refused(f"GET {longest}x HTTP/1.1", limits=limits) == 414


def test_R8_default_limit_takes_a_target_of_8000_octets() -> None:
    assert parse("GET /" + "x" * 7999 + " HTTP/1.1").target == "/" + "x" * 7999


def test_R9_method_is_case_sensitive() -> None:
    assert parse("get / HTTP/1.1").method == "get"
    assert parse("GET / HTTP/1.1").method == "GET"


def test_R9_method_is_a_token() -> None:
    assert refused("G(T / HTTP/1.1") == 400
    assert refused(" / HTTP/1.1") == 400


def test_R10_unknown_method_is_accepted() -> None:
    assert parse("BREW / HTTP/1.1").method == "BREW"


def test_R11_space_and_control_in_target_are_400() -> None:
    for code in [*range(0x21), 0x7F, *range(0x80, 0x100)]:
        assert refused(f"GET /a{chr(code)}b HTTP/1.1") == 400


def test_R12_fragment_is_400_in_every_form() -> None:
    for target in ("/#", "/a#b", "/?a#b", "#", "http://a/#b", "*#"):
        assert refused(f"GET {target} HTTP/1.1") == 400


def test_R13_http11_without_host_is_400() -> None:
    for minor in range(1, 10):
        with pytest.raises(ProtocolError, match="without Host"):
            PARSER.parse(b"GET / HTTP/1.%d\r\nX: 1" % minor)
        with pytest.raises(ProtocolError, match="without Host"):
            PARSER.parse(b"GET / HTTP/1.%d" % minor)


def test_R13_http10_without_host_is_accepted() -> None:
    head = PARSER.parse(b"GET / HTTP/1.0")
    assert (head.minor, head.authority, head.fields) == (0, "", {})


def test_R14_two_hosts_are_400() -> None:
    for second in ("Host: a", "host: b", "HOST:"):
        assert refused("GET / HTTP/1.1", "Host: a", second) == 400
        assert refused("GET / HTTP/1.0", "Host: a", second) == 400


def test_R15_invalid_host_is_400() -> None:
    for host in ("a b/c", "a/b", "u@a", "a:b", "[::1", "::1", "a\\b", "%zz", '"a"', "<a>", "a,\tb"):
        assert refused("GET / HTTP/1.1", f"Host: {host}") == 400, host


def test_R15_valid_hosts_are_accepted() -> None:
    for host in ("", "a", "a:80", "a:", "1.2.3.4", "[::1]:80", "a_b", "%41", "xn--a.b."):
        assert parse("GET / HTTP/1.1", f"Host: {host}").authority == host


def test_R16_absolute_form_is_accepted() -> None:
    for target in ("http://b/c?d", "https://b", "HTTP://b:80?x", "http://[::1]/"):
        assert parse(f"GET {target} HTTP/1.1").target == target


def test_R16_invalid_absolute_form_is_400() -> None:
    for target in ("http:/b", "http://", "http://:80/", "http://u@b/", "ftp://b/", "http://b:x/"):
        assert refused(f"GET {target} HTTP/1.1") == 400, target


def test_R17_authority_of_the_target_overrides_host() -> None:
    assert parse("GET http://b:8080/c HTTP/1.1", "Host: a").authority == "b:8080"
    assert parse("GET / HTTP/1.1", "Host: a").authority == "a"


def test_R18_connect_is_501_and_needs_authority_form() -> None:
    assert refused("CONNECT b:443 HTTP/1.1") == 501
    assert refused("CONNECT [::1]:443 HTTP/1.1") == 501
    for target in ("/", "*", "b", "http://b/", "b:x"):
        assert refused(f"CONNECT {target} HTTP/1.1") == 400, target


def test_R19_asterisk_is_for_options_only() -> None:
    assert parse("OPTIONS * HTTP/1.1").target == "*"
    for method in ("GET", "HEAD", "POST", "options", "TRACE"):
        assert refused(f"{method} * HTTP/1.1") == 400


def test_R20_version_is_exactly_two_digits() -> None:
    for version in ("http/1.1", "HTTP/111", "FTP/1.1", "HTTP/1.10", "HTTP/01.1", "HTTP/1.", "HTTP"):
        assert refused(f"GET / {version}") == 400, version


def test_R21_higher_minor_version_is_accepted() -> None:
    for minor in range(10):
        assert parse(f"GET / HTTP/1.{minor}").minor == minor


def test_R22_other_major_version_is_505() -> None:
    for major in (0, 2, 3, 4, 5, 6, 7, 8, 9):
        assert refused(f"GET / HTTP/{major}.0") == 505


def test_R23_http09_is_400() -> None:
    assert refused("GET /") == 400
    with pytest.raises(ProtocolError) as caught:
        PARSER.check_request_line(b"GET /")
    assert caught.value.status == 400


# ── fields ───────────────────────────────────────────────────────────────────────────────────────


def test_R24_white_space_before_the_colon_is_400() -> None:
    for space in (" ", "\t", "  "):
        assert refused("GET / HTTP/1.1", f"X{space}: 1") == 400
        assert refused("GET / HTTP/1.1", f"Transfer-Encoding{space}: chunked") == 400


def test_R25_only_SP_and_HTAB_are_trimmed() -> None:
    assert field("X: \t a \t ") == "a"
    assert field("X:") == ""
    assert field("X:  \t") == ""
    assert field("X: \x85a\xa0 ") == "\x85a\xa0"
    assert field("X:a \t b") == "a \t b"


def test_R26_folded_line_is_400() -> None:
    assert refused("GET / HTTP/1.1", "X: a", " b") == 400
    assert refused("GET / HTTP/1.1", "X: a", "\tb") == 400
    assert refused("GET / HTTP/1.1", "X: a", " ") == 400


def test_R27_name_is_a_token() -> None:
    for line in (": 1", "X", "X Y: 1", "X(: 1", "X/Y: 1", "X\0: 1", ":"):
        assert refused("GET / HTTP/1.1", line) == 400, line


def test_R28_NUL_CR_and_LF_in_a_value_are_400() -> None:
    for octet in "\0\r\n":
        for value in (f"a{octet}b", octet, f"a{octet}", f"{octet}a"):
            assert refused("GET / HTTP/1.1", f"X: {value}") == 400


def test_R29_other_controls_in_a_value_are_400() -> None:
    for code in [*range(0x01, 0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F]:
        assert refused("GET / HTTP/1.1", f"X: a{chr(code)}b") == 400


def test_R30_obs_text_is_opaque() -> None:
    octets = "".join(map(chr, range(0x80, 0x100)))
    assert field(f"X: {octets}") == octets


def test_R31_lines_of_one_name_are_joined_in_order() -> None:
    assert field("X: 1\r\nY: 2\r\nx: 3, 4\r\nX:5") == "1,3, 4,5"


def test_R31_cookie_is_joined_with_a_semicolon() -> None:
    fields = parse("GET / HTTP/1.1", "Cookie: a=1", "COOKIE: b=2", "X-Cookie: c", "X-Cookie: d")
    assert fields.fields["cookie"] == "a=1; b=2"
    assert fields.fields["x-cookie"] == "c,d"


def test_R32_content_type_twice_is_400() -> None:
    assert refused("GET / HTTP/1.1", "Content-Type: a/b", "content-type: a/b") == 400


def test_R33_limits_on_fields_are_431() -> None:
    limits = MessageLimits(fields=2, field_size=20)
    assert parse("GET / HTTP/1.1", "Host: a", "X: 1", limits=limits).fields["x"] == "1"
    assert refused("GET / HTTP/1.1", "Host: a", "X: 1", "Y: 2", limits=limits) == 431
    assert parse("GET / HTTP/1.1", "X: " + "x" * 17, limits=limits).fields["x"] == "x" * 17
    assert refused("GET / HTTP/1.1", "X: " + "x" * 18, limits=limits) == 431


# ── framing ──────────────────────────────────────────────────────────────────────────────────────


def test_R34_length_and_coding_are_400() -> None:
    both = ["Content-Length: 0", "Transfer-Encoding: chunked"]
    assert refused("POST / HTTP/1.1", *both) == 400
    assert refused("POST / HTTP/1.1", *reversed(both)) == 400
    assert refused("POST / HTTP/1.0", *both) == 400


def test_R35_coding_in_http10_is_400() -> None:
    assert refused("POST / HTTP/1.0", "Transfer-Encoding: chunked") == 400
    line = "Connection: keep-alive"
    assert refused("POST / HTTP/1.0", line, "Transfer-Encoding: chunked") == 400


def test_R36_unknown_coding_is_501_or_400() -> None:
    assert refused("POST / HTTP/1.1", "Transfer-Encoding: foo, chunked") == 501
    assert refused("POST / HTTP/1.1", "Transfer-Encoding: foo") == 400


def test_R37_chunked_has_to_be_last() -> None:
    for codings in ("gzip", "chunked, gzip", "identity", ""):
        assert refused("POST / HTTP/1.1", f"Transfer-Encoding: {codings}") == 400, codings


def test_R38_chunked_twice_is_400() -> None:
    assert refused("POST / HTTP/1.1", "Transfer-Encoding: chunked, chunked") == 400
    line = "Transfer-Encoding: chunked"
    assert refused("POST / HTTP/1.1", line, line) == 400


def test_R39_chunked_in_any_case() -> None:
    for coding in ("chunked", "CHUNKED", "Chunked", " \tchunked\t "):
        assert parse("POST / HTTP/1.1", f"Transfer-Encoding:{coding}").chunked
    assert refused("POST / HTTP/1.1", "Transfer-Encoding: gzip, chunked") == 501


def test_R40_what_looks_like_chunked_is_400() -> None:
    for coding in (",chunked", "chunked,", "\x0bchunked", "xchunked", "chunked;a=b", '"chunked"'):
        assert refused("POST / HTTP/1.1", f"Transfer-Encoding: {coding}") == 400, coding


def test_R41_length_is_digits_alone() -> None:
    for value in ("+1", "-1", "0x1", "1_0", "", "a", "1 1", "1.0", "1;a", "\xb2"):
        assert refused("POST / HTTP/1.1", f"Content-Length: {value}") == 400, value
    assert parse("POST / HTTP/1.1", "Content-Length: 0007").content_length == 7


def test_R42_differing_lengths_are_400() -> None:
    assert refused("POST / HTTP/1.1", "Content-Length: 1", "Content-Length: 2") == 400
    assert refused("POST / HTTP/1.1", "Content-Length: 1, 2") == 400


def test_R43_identical_lengths_are_400() -> None:
    assert refused("POST / HTTP/1.1", "Content-Length: 1", "Content-Length: 1") == 400
    assert refused("POST / HTTP/1.1", "Content-Length: 1, 1") == 400


def test_R44_length_over_the_limit_is_413_without_overflow() -> None:
    for value in ("1" + "0" * 23, str(2**64), str(2**63), "9" * 5000, str((1 << 30) + 1)):
        assert refused("POST / HTTP/1.1", f"Content-Length: {value}") == 413
    assert parse("POST / HTTP/1.1", f"Content-Length: {1 << 30}").content_length == 1 << 30


def test_R45_without_length_and_coding_there_is_no_content() -> None:
    head = parse("POST / HTTP/1.1")
    assert (head.content_length, head.chunked) == (0, False)


# ── connection and expectation ───────────────────────────────────────────────────────────────────


def test_R58_persistent_by_default_from_http11_on() -> None:
    assert not parse("GET / HTTP/1.1").close
    assert not parse("GET / HTTP/1.5").close
    assert parse("GET / HTTP/1.0").close
    assert not parse("GET / HTTP/1.0", "Connection: Keep-Alive").close


def test_R59_close_in_any_list_and_case() -> None:
    for value in ("close", "CLOSE", "foo, close", "close,foo", ",,Close ,", "keep-alive, close"):
        assert parse("GET / HTTP/1.1", f"Connection: {value}").close, value
    assert parse("GET / HTTP/1.1", "Connection: foo", "Connection: close").close
    for value in ("closed", "x-close", "foo", ""):
        assert not parse("GET / HTTP/1.1", f"Connection: {value}").close, value


def test_R74_expectation_in_any_case_with_content() -> None:
    for value in ("100-continue", "100-CONTINUE", ",100-continue,"):
        length = "Content-Length: 1"
        assert parse("POST / HTTP/1.1", length, f"Expect: {value}").expect_continue
        coding = "Transfer-Encoding: chunked"
        assert parse("POST / HTTP/1.1", coding, f"Expect: {value}").expect_continue


def test_R74_nothing_to_continue_without_content() -> None:
    assert not parse("POST / HTTP/1.1", "Expect: 100-continue").expect_continue
    line = "Content-Length: 0"
    assert not parse("POST / HTTP/1.1", line, "Expect: 100-continue").expect_continue
    assert not parse("POST / HTTP/1.1", "Content-Length: 1", "Expect:").expect_continue


def test_R75_expectation_of_http10_is_ignored() -> None:
    head = parse("POST / HTTP/1.0", "Content-Length: 1", "Expect: 100-continue")
    assert not head.expect_continue


def test_R76_unknown_expectation_is_417() -> None:
    assert refused("GET / HTTP/1.1", "Expect: foo") == 417
    assert refused("GET / HTTP/1.1", "Expect: 100-continue, foo") == 417
    assert refused("GET / HTTP/1.1", "Expect: foo", "Expect: 100-continue") == 417


def test_R78_upgrade_is_ignored() -> None:
    head = parse("GET / HTTP/1.1", "Upgrade: h2c", "Connection: upgrade")
    assert (head.minor, head.close, head.fields["upgrade"]) == (1, False, "h2c")


# ── names ────────────────────────────────────────────────────────────────────────────────────────


def test_R81_names_with_an_underscore_are_dropped() -> None:
    head = parse("POST / HTTP/1.1", "X-A: 1", "X_A: 2", "Content_Length: 5", "Host_: b")
    assert head.fields == {"x-a": "1", "host": "a"}
    assert head.content_length == 0


def test_R81_fields_that_decide_on_framing_cannot_be_dropped() -> None:
    for name in SPECIAL:
        keys = {each: each for each in SPECIAL - {name}}
        with pytest.raises(ValueError, match=name):
            HeadParser(MessageLimits(), keys.get)


def test_R83_path_is_left_as_it_is() -> None:
    for target in ("//evil", "/a/../b", "/%00", "/%zz", "/a//b", "/%2e%2e/"):
        assert parse(f"GET {target} HTTP/1.1").target == target


# ── the owner's fields ───────────────────────────────────────────────────────────────────────────


def test_fields_are_added_to_the_dictionary_of_the_owner() -> None:
    parser = HeadParser(MessageLimits(), key_of, lambda: {"template": 1})
    assert parser.parse(b"GET / HTTP/1.0\r\nX: 1").fields == {"template": 1, "x": "1"}


def test_lines_are_joined_with_what_the_owner_had_there() -> None:
    parser = HeadParser(MessageLimits(), key_of, lambda: {"x": "own"})
    for _ in range(2):
        assert parser.parse(b"GET / HTTP/1.0\r\nX: 1\r\nY: 2").fields == {"x": "own,1", "y": "2"}


def test_what_the_owner_had_there_is_no_line_of_the_client() -> None:
    parser = HeadParser(MessageLimits(), key_of, lambda: {"host": "own", "content-length": "7"})
    parser.parse(b"GET / HTTP/1.1\r\nHost: a\r\nX: 1")
    for _ in range(2):
        with pytest.raises(ProtocolError, match="without Host"):
            parser.parse(b"GET / HTTP/1.1\r\nX: 1")
        head = parser.parse(b"GET / HTTP/1.0\r\nX: 1")
        assert (head.authority, head.content_length) == ("", 0)


# ── all lines at once ────────────────────────────────────────────────────────────────────────────

BROWSER = (
    "GET /a?b HTTP/1.1", "Host: a.example:80", 'sec-ch-ua: "a";v="1", "b";v="2"', "Accept: */*",
    "Referer: https://a.example/#b", "Cookie: a=b; c=d", "X-Empty:", "X-Spaces:  a  ",
    "Connection: keep-alive",
)  # fmt: skip
CLIENT = (
    "POST / HTTP/1.0", "host: a", "Content-Type: a/b", "Content-Length: 05", "Connection: close",
)  # fmt: skip
CHUNKED = (
    "PUT / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "Expect: 100-continue",
)  # fmt: skip
NOT_PLAIN = [
    ("GET / HTTP/1.2", "Host: a"),
    ("BREW / HTTP/1.1", "Host: a"),
    ("OPTIONS * HTTP/1.1", "Host: a"),
    ("GET http://b/ HTTP/1.1", "Host: a"),
    ("GET / HTTP/1.1", "Host:a"),
    ("GET / HTTP/1.1", "Host:\ta"),
    ("GET / HTTP/1.1", "Host: a", "X: \xe4"),
    ("GET / HTTP/1.1", "Host: a", "X: \xa0"),
    ("GET / HTTP/1.1", "Host: a", "X: 1", "x: 2"),
    ("GET / HTTP/1.1", "Host: a", "X_A: 1"),
]
"""Accepted, but line by line."""


def meaning(head: Head) -> list[object]:
    """All that a head says."""
    return [getattr(head, name) for name in Head.__slots__ if name != "ready"]


def knowing(*heads: tuple[str, ...], limits: MessageLimits | None = None) -> HeadParser:
    """A parser that has seen the names of all fields in these."""
    parser = HeadParser(limits or MessageLimits(), key_of)
    for number, line in enumerate(line for lines in heads for line in lines[1:]):
        name = line.partition(":")[0]
        if key_of(name) is not None:
            parser._cache.add_name(name, name.lower())
        assert number < 100
    return parser


@pytest.mark.parametrize("lines", [BROWSER, CLIENT, CHUNKED], ids=["browser", "client", "chunked"])
def test_a_plain_head_means_the_same_as_line_by_line(lines: tuple[str, ...]) -> None:
    octets = "\r\n".join(lines).encode()
    head = knowing(lines).parse_plain(octets)
    assert head is not None
    assert meaning(head) == meaning(PARSER._parse_lines(octets))


@pytest.mark.parametrize("lines", NOT_PLAIN)
def test_a_head_that_is_not_plain_is_read_line_by_line(lines: tuple[str, ...]) -> None:
    octets = "\r\n".join(lines).encode("latin-1")
    parser = knowing(lines)
    assert parser.parse_plain(octets) is None
    assert meaning(parser.parse(octets)) == meaning(PARSER._parse_lines(octets))


def test_no_octet_in_a_plain_head_escapes_the_grammar() -> None:
    """Each octet in the place of each other: what is accepted at once is accepted line by line."""
    octets = b"GET /a HTTP/1.1\r\nHost: a\r\nX: 1\r\nContent-Length: 5"
    parser = knowing(("", "Host: a", "X: 1", "Content-Length: 5"))
    plain = 0
    for place in range(len(octets)):
        for octet in range(0x100):
            changed = octets[:place] + bytes((octet,)) + octets[place + 1 :]
            if (head := parser.parse_plain(changed)) is not None:
                plain += 1
                assert meaning(head) == meaning(PARSER._parse_lines(changed)), changed
    assert plain > 200


@pytest.mark.parametrize(
    "limits", [{"request_line": 40}, {"field_size": 40}, {"head": 40}, {"fields": 1}], ids=str
)
def test_a_plain_head_is_within_all_limits(limits: dict[str, int]) -> None:
    lines = ("GET / HTTP/1.1", "Host: a", "X: 1")
    longer = (*lines[:2], "X: " + "1" * 40)
    parser = knowing(lines, limits=MessageLimits(**limits))
    is_plain = parser.parse_plain("\r\n".join(lines).encode()) is not None
    assert is_plain is ("fields" not in limits)
    assert parser.parse_plain("\r\n".join(longer).encode()) is None
