"""The head of a request: request line and field lines (RFC 9112, sections 3 and 5).

Strict wherever two parsers could read the same bytes differently. Lenient in one point only: the
characters that browsers send in a target although RFC 3986 does not list them.

There are two ways to read a head. :meth:`HeadParser._parse_lines` is the definition: it reads line
by line, judges each by the grammar, and says what is wrong with the first that is. Nearly no head
needs that. Those of browsers and programs are of printable ASCII, have names that were seen before,
and no name twice; of such a head :meth:`HeadParser.parse_plain` checks all octets in one step, and
then takes it apart without a further look at any line. It accepts nothing that the other refuses,
gives the same for what it accepts, and leaves the rest to it. Tests read everything both ways.
"""

from __future__ import annotations

from collections.abc import Callable

from onegate._record import Record
from onegate.http1 import grammar
from onegate.http1.errors import ProtocolError
from onegate.http1.request_cache import LONGEST_HEAD, SECRET, RequestCache
from onegate.http1.request_head import (
    DROPPED,
    KINDS,
    ORDINARY,
    SINGLETON,
    Head,
    expects_continue,
    is_last,
    set_framing,
    set_semantics,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PRINTABLE = bytes(range(0x20, 0x7F))
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_MINOR = {"HTTP/1.1": 1, "HTTP/1.0": 0}


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
        "_connection",
        "_content_length",
        "_expect",
        "_host",
        "_key_of",
        "_keys",
        "_limits",
        "_most",
        "_new_fields",
        "_own",
        "_shortest_limit",
        "_transfer_encoding",
        "recall",
    )

    def __init__(
        self,
        limits: MessageLimits,
        key_of: Callable[[str], str | None],
        new_fields: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        special: dict[str, str] = {}
        for name in KINDS:
            key = key_of(name)
            if key is None:
                raise ValueError(f"{name} must not be dropped: the message depends on it")
            special[name] = key
        self._limits = limits
        self._key_of = key_of
        self._new_fields = new_fields
        self._cache = RequestCache(tuple(map(key_of, SECRET)))
        self.recall: Callable[[bytes], Head | None] = self._cache.heads.get
        """The remembered head that some octets are, with the empty line that ends it and nothing
        behind; ``None`` if they are none. Only between two requests.

        The head has no content. It is shared: nothing but its ``ready`` may be set, and its
        ``fields`` are not to be changed.
        """
        # What parse_plain() needs, each as an attribute of its own: it is looked up per request.
        self._keys = self._cache.keys.entries
        self._host = special["host"]
        self._content_length = special["content-length"]
        self._transfer_encoding = special["transfer-encoding"]
        self._connection = special["connection"]
        self._expect = special["expect"]
        self._most = limits.fields
        own = new_fields()
        self._own = len(own)
        """How many fields a head has before any line is read."""
        self._shortest_limit = min(limits.request_line, limits.field_size, limits.head)
        """Octets of a head up to which neither it nor a line can be too long."""
        if not own.keys().isdisjoint(special.values()):
            self._shortest_limit = -1  # what a line says and what was there cannot be told apart

    def parse(self, octets: bytes | bytearray) -> Head:
        """Parse a whole head, without the empty line that ends it.

        Raises :class:`ProtocolError`: 400, 414, 417, 431, 501 or 505.
        """
        octets = bytes(octets)
        return self.parse_plain(octets) or self._parse_lines(octets)

    # ── all lines at once ────────────────────────────────────────────────────────────────────────

    def parse_plain(self, octets: bytes) -> Head | None:
        """The same for a plain head; ``None`` if it is none, and whether it is valid is not known.
        Raises nothing."""
        if len(octets) > self._shortest_limit:
            return None
        lines = octets.decode("latin-1").split("\r\n")
        request_line = lines[0]
        del lines[0]
        count = len(lines)
        # Without what is printable nothing is left but the ends of the lines: no other control, no
        # obs-text, no bare CR or LF.
        if octets.translate(None, _PRINTABLE) != b"\r\n" * count or count > self._most:
            return None
        fields = self._new_fields()
        keys = self._keys
        head = Head()
        try:
            head.method, target, version = request_line.split(" ")
            head.minor = minor = _MINOR[version]
            if target[0] != "/" or "#" in target or head.method not in _METHODS:
                return None
            for line in lines:
                name, _, value = line.partition(" ")
                fields[keys[name]] = value.strip()
            if len(fields) != self._own + count:
                return None  # two lines have the same name
            host = fields[self._host] if minor else fields.get(self._host, "")
            if grammar.HOST.fullmatch(host) is None:
                return None
            head.line = request_line.encode("latin-1")
            head.target = target
            head.fields = fields
            head.authority = host
            if self._content_length in fields or self._transfer_encoding in fields:
                length = fields.get(self._content_length)
                coding = fields.get(self._transfer_encoding)
                set_framing(head, length, coding, self._limits.body)
            else:
                head.content_length = 0
                head.chunked = False
            if self._connection in fields:
                head.close = is_last(fields[self._connection], minor)
            else:
                head.close = not minor
            if self._expect in fields:
                head.expect_continue = expects_continue(head, fields[self._expect])
            else:
                head.expect_continue = False
        except (LookupError, ValueError, ProtocolError):
            return None
        if len(octets) <= LONGEST_HEAD:
            self._cache.add_head(head, octets)
        return head

    # ── line by line ─────────────────────────────────────────────────────────────────────────────

    def _parse_lines(self, octets: bytes) -> Head:
        """Any head. Raises :class:`ProtocolError` for the first fault in it."""
        line, _, block = octets.partition(b"\r\n")
        head = self._request_line(line.decode("latin-1"))
        head.line = line
        set_semantics(head, self._fields(head, block), self._limits.body)
        return head

    def _fields(self, head: Head, block: bytes) -> list[tuple[int, str]]:
        """Read the field lines into ``head.fields``; return those that concern the message."""
        lines = block.decode("latin-1").split("\r\n") if block else []
        if len(lines) > self._limits.fields:
            raise ProtocolError(431, f"more than {self._limits.fields} field lines")
        head.fields = fields = self._new_fields()
        special: list[tuple[int, str]] = []
        for line in lines:
            kind, key, value = self._field_line(line)
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

    def _field_line(self, line: str) -> tuple[int, str, str]:
        """Validate one line; return what it is to the message, its key and its value."""
        if len(line) > self._limits.field_size:
            raise ProtocolError(
                431, f"field line over {self._limits.field_size} octets", field_name(line)
            )
        match = grammar.FIELD_LINE.fullmatch(line)
        if match is None:
            raise ProtocolError(400, "invalid field line", field_name(line))
        name = match[1].lower()
        key = self._key_of(name)
        value = match[2].rstrip(" \t")
        if key is None:
            return DROPPED, "", value
        self._cache.add_name(match[1], key)
        return KINDS.get(name, ORDINARY), key, value
