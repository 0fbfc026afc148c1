"""The head of a request: request line and field lines (RFC 9112, sections 3 and 5).

Strict wherever two parsers could read the same bytes differently. Lenient in one point only: the
characters that browsers send in a target although RFC 3986 does not list them.

What was read before is looked up, not read again (:mod:`onegate.http1.request_cache`).
"""

from __future__ import annotations

from collections.abc import Callable

from onegate._record import Record
from onegate.http1 import grammar
from onegate.http1.errors import ProtocolError
from onegate.http1.request_cache import SECRET, Line, RequestCache
from onegate.http1.request_head import (
    DROPPED,
    KINDS,
    ORDINARY,
    SINGLETON,
    Head,
    copy_semantics,
    set_semantics,
)


def field_name(line: str) -> str:
    """What an invalid field line has in front of its colon, if it has one. A folded line, which
    continues a value, has no name; so nothing of a value is ever taken for one."""
    return "" if line[:1] in (" ", "\t") else line.partition(":")[0] if ":" in line else ""


class MessageLimits(Record):
    """Bounds on one request, in octets unless said otherwise. The peers' values: docs/options."""

    request_line: int = 8190
    field_size: int = 8190
    fields: int = 100
    """Number of field lines."""
    head: int = 65536
    body: int = 1 << 30


class HeadParser:
    """Parses heads for one owner.

    ``key_of(name)`` gives the key under which a field is stored, or None for a field that is to be
    dropped, which those that decide on framing and connection cannot be. ``new_fields`` makes the
    dictionary that a head's fields are added to.
    """

    __slots__ = (
        "_cache",
        "_key_of",
        "_limits",
        "_new_fields",
        "_secret",
        "recall",
    )

    def __init__(
        self,
        limits: MessageLimits,
        key_of: Callable[[str], str | None],
        new_fields: Callable[[], dict[str, object]] = dict,
    ) -> None:
        for name in KINDS:
            if key_of(name) is None:
                raise ValueError(f"{name} must not be dropped: the message depends on it")
        self._limits = limits
        self._key_of = key_of
        self._new_fields = new_fields
        self._cache = RequestCache()
        self.recall: Callable[[bytes], Head | None] = self._cache.heads.get
        """The remembered head that some octets are, with the empty line that ends it and nothing
        behind; ``None`` if they are none. Only between two requests.

        The head has no content. It is shared: nothing but its ``ready`` may be set, and its
        ``fields`` are not to be changed.
        """
        self._secret = False
        """Whether a field line of the present head must not be remembered."""

    def parse(self, octets: bytes | bytearray) -> Head:
        """Parse a whole head, without the empty line that ends it.

        Raises :class:`ProtocolError`: 400, 414, 417, 431, 501 or 505.
        """
        octets = bytes(octets)
        line, _, block = octets.partition(b"\r\n")
        head = self._request_line(line.decode("latin-1"))
        head.line = line
        known = self._cache.blocks.get((head.minor, block))
        if known is not None and not head.authority:
            copy_semantics(head, known)
            self._cache.add_head(head, octets)
            return head
        self._secret = False
        special = self._fields(head, block)
        absolute = head.authority
        set_semantics(head, special, self._limits.body)
        if not absolute and not self._secret:
            self._cache.add_block(head, block)
        return head

    def _fields(self, head: Head, block: bytes) -> list[tuple[int, str]]:
        """Read the field lines into ``head.fields``; return those that concern the message."""
        lines = block.decode("latin-1").split("\r\n") if block else []
        if len(lines) > self._limits.fields:
            raise ProtocolError(431, f"more than {self._limits.fields} field lines")
        head.fields = fields = self._new_fields()
        read_before = self._cache.lines.get
        special: list[tuple[int, str]] = []
        for line in lines:
            kind, key, value = read_before(line) or self._field_line(line)
            if kind:
                if kind == DROPPED:
                    continue
                special.append((kind, value))
                if kind == SINGLETON and key in fields:
                    # Joining two media types makes nonsense of both (RFC 9110, 5.3).
                    raise ProtocolError(400, "Content-Type given twice")
            if key in fields:
                # RFC 9110, 5.3; a split Cookie is joined with "; " (RFC 9113, 8.2.3).
                joiner = "; " if line[:7].lower() == "cookie:" else ","
                fields[key] = f"{fields[key]}{joiner}{value}"
            else:
                fields[key] = value
        return special

    def check_request_line(self, octets: bytes | bytearray) -> None:
        """Judge a request line before the rest of its head is there. Raises as ``parse`` does."""
        self._request_line(octets.decode("latin-1"))

    def _request_line(self, line: str) -> Head:
        if len(line) > self._limits.request_line:
            raise ProtocolError(414, f"request line over {self._limits.request_line} octets")
        match = grammar.REQUEST_LINE.fullmatch(line)
        if match is None:
            raise ProtocolError(400, "invalid request line")
        head = Head()
        head.method, head.target, major, minor = match.groups()
        if major != "1":
            raise ProtocolError(505, f"HTTP/{major}.{minor} is not supported")
        head.minor = int(minor)
        head.authority = ""
        if head.target[0] != "/":
            self._other_form(head)
        elif head.method == "CONNECT":
            raise ProtocolError(400, "CONNECT needs a target in authority-form")
        return head

    @staticmethod
    def _other_form(head: Head) -> None:
        """The three forms of request-target that do not begin with a slash (RFC 9112, 3.2)."""
        if head.method == "CONNECT":
            if grammar.AUTHORITY_FORM.fullmatch(head.target) is None:
                raise ProtocolError(400, "CONNECT needs a target in authority-form")
            raise ProtocolError(501, "CONNECT: this server opens no tunnels")
        if head.target == "*":
            if head.method != "OPTIONS":
                raise ProtocolError(400, "the target * is for OPTIONS only")
            return
        match = grammar.ABSOLUTE_FORM.fullmatch(head.target)
        if match is None or match[1] == "" or match[1].startswith(":"):
            raise ProtocolError(400, "invalid request-target")
        head.authority = match[1]

    def _field_line(self, line: str) -> Line:
        """Validate one line; return its reading. Remembers it if it is no secret."""
        if len(line) > self._limits.field_size:
            raise ProtocolError(
                431, f"field line over {self._limits.field_size} octets", field_name(line)
            )
        match = grammar.FIELD_LINE.fullmatch(line)
        if match is None:
            raise ProtocolError(400, "invalid field line", field_name(line))
        name = match[1].lower()
        key = self._key_of(name)
        kind = KINDS.get(name, ORDINARY) if key is not None else DROPPED
        entry = (kind, key or "", match[2].rstrip(" \t"))
        if name in SECRET:
            self._secret = True
        else:
            self._cache.add_line(line, entry)
        return entry
