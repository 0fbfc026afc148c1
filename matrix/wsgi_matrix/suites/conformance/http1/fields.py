"""Fields of a request, R24 to R33, and what becomes of them as variables, R81 and R82."""

from __future__ import annotations

from wsgi_matrix.model.results import Level
from wsgi_matrix.suites.conformance.echo_matchers import exchange, invalid, raw, rejected, variable
from wsgi_matrix.suites.conformance.matchers import CLIENT_ERRORS, either
from wsgi_matrix.suites.conformance.quotes import (
    CR_LF_NUL,
    NOT_THE_GRAMMAR,
    OBS_FOLD,
    SPACE_BEFORE_COLON,
)
from wsgi_matrix.suites.conformance.rule import Rule, Variant
from wsgi_matrix.suites.conformance.steps import request

LINE = b"GET /echo HTTP/1.1"
MANY = [f"X-{number}: a" for number in range(1000)]
LARGE = "X-A: " + "a" * 66_000

RULES: tuple[Rule, ...] = (
    Rule(
        id="fields/whitespace-before-colon",
        alias="R24",
        level=Level.MUST,
        cite="RFC 9112 section 5.1",
        title="Whitespace before the colon",
        text=SPACE_BEFORE_COLON,
        variants=(
            Variant(
                name="space",
                sends="a GET with SP between a field name and its colon",
                steps=exchange(raw(LINE, b"X-A : b")),
                expects=rejected(400),
            ),
            Variant(
                name="tab",
                sends="a GET with HTAB between a field name and its colon",
                steps=exchange(raw(LINE, b"X-A\t: b")),
                expects=rejected(400),
            ),
        ),
    ),
    Rule(
        id="fields/whitespace-around-value",
        alias="R25",
        level=Level.MUST,
        cite="RFC 9110 section 5.5, RFC 9112 section 5.1",
        title="Whitespace around a field value",
        text="A field value does not include leading or trailing whitespace. When a specific "
        "version of HTTP allows such whitespace to appear in a message, a field parsing "
        "implementation MUST exclude such whitespace prior to evaluating the field value.",
        variants=(
            Variant(
                name="white",
                sends='a GET with SP and HTAB on both sides of the field value "b"',
                steps=exchange(raw(LINE, b"X-A: \t b \t")),
                expects=variable("HTTP_X_A", "b"),
            ),
            Variant(
                name="none",
                sends='a GET with the field value "b" right after the colon',
                steps=exchange(raw(LINE, b"X-A:b")),
                expects=variable("HTTP_X_A", "b"),
            ),
            Variant(
                name="other",
                sends="a GET with a field value that begins with the octet 0xA0 and ends with 0x85",
                steps=exchange(raw(LINE, b"X-A: \xa0b\x85")),
                expects=either(variable("HTTP_X_A", "\xa0b\x85"), invalid()),
            ),
        ),
    ),
    Rule(
        id="fields/obs-fold",
        alias="R26",
        level=Level.MUST,
        cite="RFC 9112 section 5.2",
        title="Folded field line",
        text=OBS_FOLD,
        variants=tuple(
            Variant(
                name=name,
                sends=f'a GET with the field value "a", and "b" on a line after {octet_name}',
                steps=exchange(raw(LINE, b"X-A: a", octet + b"b")),
                expects=either(
                    rejected(400),
                    variable(
                        "HTTP_X_A",
                        *("a" + " " * count + "b" for count in (1, 2, 3, 4)),
                        what="'a b', with one to four spaces",
                    ),
                ),
            )
            for name, octet, octet_name in (("space", b" ", "SP"), ("tab", b"\t", "HTAB"))
        ),
    ),
    Rule(
        id="fields/name-not-a-token",
        alias="R27",
        level=Level.SHOULD,
        cite="RFC 9112 sections 2.2 and 5, RFC 9110 section 5.1",
        title="Field name is not a token",
        text=NOT_THE_GRAMMAR,
        variants=tuple(
            Variant(
                name=name,
                sends=f"a GET with a field line {what}",
                steps=exchange(raw(LINE, line)),
                expects=rejected(400),
            )
            for name, what, line in (
                ("empty", "that begins with its colon", b": a"),
                ("bracket", 'whose name is "X(A"', b"X(A: a"),
                ("space", 'whose name is "X A"', b"X A: a"),
                ("no-colon", "without a colon", b"X-A"),
            )
        ),
    ),
    Rule(
        id="fields/nul-or-cr-in-value",
        alias="R28",
        level=Level.MUST,
        cite="RFC 9110 section 5.5",
        title="NUL or CR in a value",
        text=CR_LF_NUL,
        variants=tuple(
            Variant(
                name=name,
                sends=f"a GET with {octet_name} within a field value",
                steps=exchange(raw(LINE, b"X-A: a" + octet + b"b")),
                expects=either(invalid(), variable("HTTP_X_A", "a b")),
            )
            for name, octet, octet_name in (("nul", b"\0", "NUL"), ("cr", b"\r", "a bare CR"))
        ),
    ),
    Rule(
        id="fields/other-control-in-value",
        alias="R29",
        level=Level.MAY,
        cite="RFC 9110 section 5.5",
        title="Another control in a value",
        text="Field values containing other CTL characters are also invalid; however, recipients "
        "MAY retain such characters for the sake of robustness when they appear within a safe "
        "context",
        variants=(
            Variant(
                sends="a GET with the octet 0x01 within a field value",
                steps=exchange(raw(LINE, b"X-A: a\x01b")),
                expects=either(invalid(), variable("HTTP_X_A", "a\x01b")),
            ),
        ),
    ),
    Rule(
        id="fields/obs-text-in-value",
        alias="R30",
        level=Level.SHOULD,
        cite="RFC 9110 section 5.5",
        title="Non-ASCII octets in a value",
        text="A recipient SHOULD treat other allowed octets in field content (i.e., obs-text) as "
        "opaque data.",
        variants=(
            Variant(
                sends="a GET with the octets 0xC3, 0xA9 and 0xFF within a field value",
                steps=exchange(raw(LINE, b"X-A: a\xc3\xa9\xffb")),
                expects=variable("HTTP_X_A", "a\xc3\xa9\xffb"),
            ),
        ),
    ),
    Rule(
        id="fields/repeated",
        alias="R31",
        level=Level.MAY,
        cite="RFC 9110 sections 5.2 and 5.3",
        title="Field lines of one name",
        text="A recipient MAY combine multiple field lines within a field section that have the "
        "same field name into one field line, without changing the semantics of the message, by "
        "appending each subsequent field line value to the initial field line value in order, "
        'separated by a comma (",") and optional whitespace',
        variants=(
            Variant(
                sends="a GET with X-A: a, another field, then X-A: b",
                steps=exchange(request("/echo", "X-A: a", "X-B: c", "X-A: b")),
                expects=variable("HTTP_X_A", "a,b", "a, b"),
            ),
        ),
    ),
    Rule(
        id="fields/repeated-content-type",
        alias="R32",
        level=Level.MAY,
        cite="RFC 9110 section 8.3",
        title="More than one Content-Type",
        text="Although Content-Type is defined as a singleton field, it is sometimes incorrectly "
        "generated multiple times, resulting in a combined field value that appears to be a list.",
        variants=(
            Variant(
                sends="a GET with Content-Type: a/a and Content-Type: b/b",
                steps=exchange(request("/echo", "Content-Type: a/a", "Content-Type: b/b")),
                expects=either(rejected(), variable("CONTENT_TYPE", "a/a", "b/b")),
            ),
        ),
    ),
    Rule(
        id="fields/too-large",
        alias="R33",
        level=Level.MUST,
        cite="RFC 9110 section 5.4",
        title="Fields that are too large",
        text="A server that receives a request header field line, field value, or set of fields "
        "larger than it wishes to process MUST respond with an appropriate 4xx (Client Error) "
        "status code.",
        variants=(
            Variant(
                name="many",
                sends="a GET with 1,000 fields",
                steps=exchange(request("/echo", *MANY)),
                expects=either(rejected(*CLIENT_ERRORS), variable("HTTP_X_999", "a")),
            ),
            Variant(
                name="large",
                sends="a GET with a field value of 66,000 octets",
                steps=exchange(request("/echo", LARGE)),
                expects=either(rejected(*CLIENT_ERRORS), variable("HTTP_X_A", LARGE[5:])),
            ),
        ),
    ),
    Rule(
        id="fields/underscore-in-name",
        alias="R81",
        level=Level.MAY,
        cite="RFC 3875 section 4.1.18",
        title="Underscore in a field name",
        text='The HTTP header field name is converted to upper case, has all occurrences of "-" '
        'replaced with "_" and has "HTTP_" prepended to give the meta-variable name.',
        variants=(
            Variant(
                name="before",
                sends="a GET with X_A: b, then X-A: a",
                steps=exchange(request("/echo", "X_A: b", "X-A: a")),
                expects=either(rejected(), variable("HTTP_X_A", "a")),
            ),
            Variant(
                name="behind",
                sends="a GET with X-A: a, then X_A: b",
                steps=exchange(request("/echo", "X-A: a", "X_A: b")),
                expects=either(rejected(), variable("HTTP_X_A", "a")),
            ),
            Variant(
                name="length",
                sends="a GET with Content_Length: 5",
                steps=exchange(request("/echo", "Content_Length: 5")),
                expects=either(rejected(), variable("CONTENT_LENGTH", None, "", "0")),
            ),
        ),
    ),
    Rule(
        id="fields/proxy",
        alias="R82",
        level=Level.MAY,
        cite="RFC 3875 section 4.1.18, CVE-2016-5385",
        title="Proxy is not a variable",
        text="The server is not required to create meta-variables for all the header fields that "
        "it receives.",
        variants=(
            Variant(
                sends="a GET with the field Proxy, whose variable HTTP_PROXY libraries would take "
                "for the proxy of the process",
                steps=exchange(request("/echo", "Proxy: http://evil.example")),
                expects=either(rejected(), variable("HTTP_PROXY", None)),
            ),
        ),
    ),
)
