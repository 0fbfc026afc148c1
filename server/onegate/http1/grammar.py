"""The grammar of RFC 9110 and RFC 9112 as regular expressions, each with its rule above it.

All of them match text that was decoded from octets as latin-1, one character for one octet, and
all are meant for ``fullmatch``. None takes more than linear time: where two repetitions in a row
could share what they match, the first one is possessive (``*+``) and gives nothing back.
"""

from __future__ import annotations

import re

# token = 1*tchar                                                       (RFC 9110, 5.6.2)
_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105 - a token of the grammar
TOKEN = re.compile(_TOKEN)

# request-line = method SP request-target SP HTTP-version                (RFC 9112, 3)
# The target is taken as any visible ASCII but "#": browsers do send characters such as "|" that
# RFC 3986 does not allow, and no two parsers read those differently. Octets above 0x7F, which a
# URI never holds, are refused. Version: exactly DIGIT "." DIGIT, in this case only (2.3).
REQUEST_LINE = re.compile(rf"({_TOKEN}) ([\x21\x22\x24-\x7e]+) HTTP/([0-9])\.([0-9])")

# field-line = field-name ":" OWS field-value OWS                         (RFC 9112, 5)
# No white space before the colon (5.1), no folding (5.2). A value holds HTAB, SP, VCHAR and
# obs-text; every other control is refused, CR, LF and NUL above all (RFC 9110, 5.5).
# The trailing OWS is stripped by the caller.
FIELD_LINE = re.compile(rf"({_TOKEN}):[ \t]*+([\t\x20-\x7e\x80-\xff]*)")

# Content-Length = 1*DIGIT. One number and nothing else: no sign, no list.  (RFC 9110, 8.6)
CONTENT_LENGTH = re.compile(r"[0-9]+")

# uri-host [ ":" port ]; uri-host = IP-literal / IPv4address / reg-name    (RFC 3986, 3.2.2)
_HOST = (
    r"(?:\[(?:[0-9A-Fa-f:.]+|[vV][0-9A-Fa-f]+\.[\w.~!$&'()*+,;=:-]+)\]"
    r"|(?:[A-Za-z0-9\-._~!$&'()*+,;=]++|%[0-9A-Fa-f]{2})*+)(?::[0-9]*)?"
)
HOST = re.compile(_HOST, re.ASCII)

# absolute-form = "http" or "https" "://" authority path-abempty [ "?" query ]  (RFC 9112, 3.2.2)
# userinfo is refused: it is never sent by a client and serves to deceive (RFC 9110, 4.2.4).
ABSOLUTE_FORM = re.compile(rf"[hH][tT][tT][pP][sS]?://({_HOST})(/[^?]*)?(\?.*)?", re.ASCII)

# authority-form = uri-host ":" port, for CONNECT alone                    (RFC 9112, 3.2.3)
AUTHORITY_FORM = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]+):[0-9]+")

# A line that does not end in CRLF (RFC 9112, 2.2 allows to accept it; we do not: two parsers in
# a row that disagree on where a line ends are how requests are smuggled).
BARE_LF = re.compile(rb"(?<!\r)\n")

# chunk-size = 1*HEXDIG; chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
#                                                                          (RFC 9112, 7.1, 7.1.1)
# Sixteen digits hold any length that a machine can count; more are refused by the grammar.
_QUOTED = r'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'
CHUNK_LINE = re.compile(
    rf"([0-9A-Fa-f]{{1,16}})"
    rf"(?:[ \t]*;[ \t]*{_TOKEN}(?:[ \t]*=[ \t]*(?:{_TOKEN}|{_QUOTED}))?)*".encode("latin-1")
)

# A field value that we send: no CR, LF, NUL, nor any other control but HTAB.
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

# status = 3DIGIT SP reason-phrase                                         (RFC 9112, 4; PEP 3333)
STATUS = re.compile(r"([1-9][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)")
