"""Sentences of the standards that several rules quote."""

from __future__ import annotations

NOT_THE_GRAMMAR = (
    "When a server listening only for HTTP request messages … receives a sequence of octets that "
    "does not match the HTTP-message grammar aside from the robustness exceptions listed above, "
    "the server SHOULD respond with a 400 (Bad Request) response and close the connection."
)
"""RFC 9112 section 2.2."""
INVALID_REQUEST_LINE = (
    "Recipients of an invalid request-line SHOULD respond with either a 400 (Bad Request) error "
    "or a 301 (Moved Permanently) redirect with the request-target properly encoded."
)
"""RFC 9112 section 3.2."""
BARE_CR = (
    "A recipient of such a bare CR MUST consider that element to be invalid or replace each bare "
    "CR with SP before processing the element or forwarding the message."
)
"""RFC 9112 section 2.2."""
BARE_LF = (
    "Although the line terminator for the start-line and fields is the sequence CRLF, a recipient "
    "MAY recognize a single LF as a line terminator and ignore any preceding CR."
)
"""RFC 9112 section 2.2."""
SPACE_BEFORE_COLON = (
    "A server MUST reject, with a response status code of 400 (Bad Request), any received request "
    "message that contains whitespace between a header field name and colon."
)
"""RFC 9112 section 5.1."""
CR_LF_NUL = (
    "a recipient of CR, LF, or NUL within a field value MUST either reject the message or replace "
    "each of those characters with SP before further processing or forwarding of that message."
)
"""RFC 9110 section 5.5."""
OBS_FOLD = (
    'A server that receives an obs-fold in a request message that is not within a "message/http" '
    "container MUST either reject the message by sending a 400 (Bad Request) … or replace each "
    "received obs-fold with one or more SP octets prior to interpreting the field value"
)
"""RFC 9112 section 5.2."""
LENGTH_AND_CODING = (
    "A server MAY reject a request that contains both Content-Length and Transfer-Encoding or "
    "process such a request in accordance with the Transfer-Encoding alone. Regardless, the server "
    "MUST close the connection after responding to such a request to avoid the potential attacks."
)
"""RFC 9112 section 6.1."""
CODING_IN_HTTP10 = (
    "A server or client that receives an HTTP/1.0 message containing a Transfer-Encoding header "
    "field MUST treat the message as if the framing is faulty, even if a Content-Length is "
    "present, and close the connection after processing the message."
)
"""RFC 9112 section 6.1."""
CHUNKED_NOT_FINAL = (
    "If a Transfer-Encoding header field is present in a request and the chunked transfer coding "
    "is not the final encoding, the message body length cannot be determined reliably; the server "
    "MUST respond with the 400 (Bad Request) status code and then close the connection."
)
"""RFC 9112 section 6.3."""
INVALID_CONTENT_LENGTH = (
    "If a message is received without Transfer-Encoding and with an invalid Content-Length header "
    "field, then the message framing is invalid and the recipient MUST treat it as an "
    "unrecoverable error … If the unrecoverable error is in a request message, the server MUST "
    "respond with a 400 (Bad Request) status code and then close the connection."
)
"""RFC 9112 section 6.3."""
NO_CONTENT = (
    "If this is a request message and none of the above are true, then the message body length is "
    "zero (no message body is present)."
)
"""RFC 9112 section 6.3."""
LAST_CHUNK = (
    "The chunked transfer coding is complete when a chunk with a chunk-size of zero is received, "
    "possibly followed by a trailer section, and finally terminated by an empty line."
)
"""RFC 9112 section 7.1."""
TRAILER_NOT_MERGED = (
    "A recipient MUST NOT merge a trailer field into a header section unless the recipient "
    "understands the corresponding header field definition and that definition explicitly permits "
    "and defines how trailer field values can be safely merged."
)
"""RFC 9110 section 6.5.1."""
SUSTAIN_CONNECTIONS = (
    "A server SHOULD sustain persistent connections, when possible, and allow the underlying "
    "transport's flow-control mechanisms to resolve temporary overloads rather than terminate "
    "connections with the expectation that clients will retry."
)
"""RFC 9112 section 9.5."""
