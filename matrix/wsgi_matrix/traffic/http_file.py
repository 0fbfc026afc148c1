"""``.http`` files of VS Code's REST Client and JetBrains' HTTP client.

    @token = abc                     a variable of the file

    ### Log in                       a separator, with a title
    # @name login                    the name for later requests
    # @capture csrf = regex:name="csrf" value="([^"]+)"
    POST {{host}}/login HTTP/1.1     a request line; a method alone may be left out (GET)
    Content-Type: application/json

    {"token": "{{token}}"}

``{{login.response.body.$.id}}`` and ``{{login.response.headers.Location}}`` are values of an
earlier response; ``# @capture NAME = …`` (an extension) names one that is found by ``regex:``,
``json:``, ``header:`` or ``cookie:``. ``< file`` is a body from a file.

Nothing is sent that differs from what the file means: other protocols are skipped with a note, and
an invalid request is an error with its line. Scripts are not run, but if one stores a member of the
response (``client.global.set("id", response.body.id)``), this is used as a capture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from wsgi_matrix.model.http_session import MADE, TOKEN, VALUE, Ask, Capture, Session
from wsgi_matrix.probe.agent import jsonpath
from wsgi_matrix.traffic import authorization, curl, graphql_body, urls
from wsgi_matrix.traffic.variables import PLACE, Given, Variables

LINE_END = re.compile(r"\r\n|\n|\r")
"""Line ends in a file; U+2028 and others are characters of a body."""
SEPARATOR = re.compile(r"#{3,}\s*(?:@name\s*=?\s*(\S+).*|([\w-]+)\s*|.*)")
"""A title of one word is also a name, as in JetBrains."""
COMMENT = re.compile(r"\s*(?:#|//)")
DIRECTIVE = re.compile(r"\s*(?:#|//)\s*@([\w-]+)(?:\s*=\s*|\s+|$)(.*)")
VARIABLE = re.compile(r"\s*@([^\s=]+)\s*=\s*(.*?)\s*")
HANDLER = re.compile(r">\s*\{%|>\s+\S+\.(?:[cm]?[jt]s|http)\s*$|>>!?\s+\S|<>\s+\S")
"""JetBrains: a response handler, a file to save the response to, and one with an earlier one."""
BEFORE = re.compile(r"<\s*\{%|<\s+\S+\.(?:[cm]?[jt]s)\s*$")
"""JetBrains: a script before a request."""
STATUS = re.compile(r"\s*HTTP/[\d.]+\s+\d{3}\b")
VERSION = re.compile(r"\s+HTTP/[\d.]+\b.*", re.IGNORECASE)
FIELD = re.compile(r"(\S[^:]*?)\s*:(.*)", re.DOTALL)
INDENTED_FIELD = re.compile(r"[A-Za-z][\w-]*\s*:(?:\s|$)")
FILE = re.compile(r"<(@\w*)?\s+(\S.*?)\s*")
METHODS = frozenset(
    {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "QUERY", "REPORT"}
    | {"LOCK", "UNLOCK", "PROPFIND", "PROPPATCH", "COPY", "MOVE", "MKCOL", "MKCALENDAR", "ACL"}
    | {"SEARCH"}
)
"""Methods that may be in lower case; any other method must be in upper case."""
OTHER = {
    **dict.fromkeys(("WEBSOCKET", "WS", "WSS"), "a WebSocket"),
    **dict.fromkeys(("SSE", "EVENTSOURCE"), "a stream of events, which never ends"),
    **dict.fromkeys(("GRPC", "RSOCKET", "MQTT", "AMQP", "CONNECT"), "not a request to a WSGI app"),
}
"""Methods for other protocols."""
SET = re.compile(r"""(?:global|variables)\.set\(\s*["']([\w.-]+)["']\s*(?:,\s*([^;\n]*))?""")
OF_BODY = re.compile(r"""response\.body((?:\.\w+|\[\d+\]|\[(?:"\w+"|'\w+')\])+)\s*\)?\s*""")
OF_FIELD = re.compile(r"""response\.headers\.valueOf\(\s*["']([\w-]+)["']\s*\)\s*\)?\s*""")
NAMED = 5
"""Maximum number of lines listed with the same note."""
LINES = "application/x-ndjson"
HTTPYAC = "an httpYac script, which is not run"
Line = tuple[int, str]


class LineError(ValueError):
    """An error with its line."""

    def __init__(self, line: int, problem: object) -> None:
        super().__init__(f"line {line}: {problem}")


class _Unsent(Exception):  # noqa: N818 - a note, not an error
    """A block that is not sent, and why."""


@dataclass
class _Block:
    """The lines between two separators, while they are read."""

    lines: list[Line] = field(default_factory=list)
    """Its lines without comments, directives and scripts."""
    name: str = ""
    titled: bool = False
    """Whether the name is only a title, which ``@name`` overrides."""
    captures: list[Capture] = field(default_factory=list)
    script: list[Line] = field(default_factory=list)
    cookies: bool = True

    @property
    def begun(self) -> bool:
        """Whether its request line has been read."""
        return any(text.strip() for _, text in self.lines)


@dataclass(frozen=True, kw_only=True)
class _Request:
    """A request in the file, with variables replaced."""

    method: str
    url: str
    fields: list[tuple[int, str, str]]
    body: bytes | None
    shape: str = ""
    """The URL with the names of generated values."""


def capture(text: str) -> Capture:
    """``NAME=KIND:WHERE``. Raises ``ValueError``."""
    name, equals, rest = (part.strip() for part in text.partition("="))
    kind, colon, where = rest.partition(":")
    if not (re.fullmatch(r"\w[\w.-]*", name) and equals and colon and where):
        raise ValueError(f'expected a capture such as token=regex:value="([^"]+)", not {text!r}')
    if kind == "regex":
        try:
            re.compile(where)
        except re.error as problem:
            raise ValueError(f"{where!r} is not a regular expression: {problem}") from None
    elif kind == "json":
        jsonpath.parse(where)
    elif kind not in ("header", "cookie"):
        raise ValueError(f'expected regex, json, header or cookie for a capture, not "{kind}"')
    return Capture(name=name, kind=kind, where=where)


def read(text: str, source: str, folder: Path, given: Given | None = None) -> Session:
    """The requests of a file. ``folder``: the directory for ``< file`` and environments.

    Raises :class:`LineError`.
    """
    given = given or Given()
    before = len(given.dynamic.made)
    reader = _Reader(source, folder, Variables(folder, given))
    blocks = reader.blocks(text)
    asks = [ask for block in blocks if (ask := reader.ask(block)) is not None]
    return Session(
        asks=tuple(reader.with_captures(asks)),
        notes=reader.notes(),
        generated=tuple(given.dynamic.made)[before:],
    )


class _Reader:
    """Converts text to blocks, and blocks to requests."""

    def __init__(self, source: str, folder: Path, variables: Variables) -> None:
        self.source = source
        self.folder = folder
        self.variables = variables
        self._noted: dict[str, list[int]] = {}
        """Lines by note; none if it is about the whole file."""
        self.scripts: list[int] = []
        """Lines of scripts that are not run."""
        self.taken: list[str] = []
        """Captures taken from scripts."""
        self.called: dict[str, int] = {}
        self.count = 0

    def note(self, line: int, text: str) -> None:
        """Add a note about a line."""
        self._noted.setdefault(text, []).append(line)

    def notes(self) -> tuple[str, ...]:
        """The notes; one about several lines is listed once."""
        found = []
        for text, lines in self._noted.items():
            left = len(lines) - NAMED
            where = ", ".join(map(str, lines[:NAMED])) + (f" and {left} more" if left > 0 else "")
            match len(lines):
                case 0:
                    found.append(f"{self.source}: {text}")
                case 1:
                    found.append(f"{self.source}:{where}: {text}")
                case _:
                    found.append(f"{self.source}: {text} (lines {where})")
        return tuple(found)

    # From text to blocks

    def blocks(self, text: str) -> list[_Block]:
        """The blocks of a file; its variables are stored."""
        blocks, script = [_Block()], False
        for number, line in enumerate(LINE_END.split(text), 1):
            block = blocks[-1]
            if separator := SEPARATOR.fullmatch(line):
                name = separator[1] or separator[2] or ""
                blocks.append(_Block(name=name, titled=not separator[1]))
                script = False
            elif script or (HANDLER if block.begun else BEFORE).match(line):
                # What follows a handler is not a body; before a request, its script ends.
                block.script.append((number, line))
                script = block.begun or (("{%" in line or script) and "%}" not in line)
            elif COMMENT.match(line):
                self._comment(block, number, line)
            elif not block.begun and (variable := VARIABLE.fullmatch(line)):
                self._variable(number, variable[1], variable[2])
            else:
                block.lines.append((number, line))
        for block in blocks:
            self._script(block)
            self.variables.requests.add(block.name)
            self.variables.captured.update(each.name for each in block.captures)
        self.variables.requests.discard("")
        if self.scripts:
            lines = ", ".join(map(str, self.scripts))
            said = f"; their captures are used: {', '.join(self.taken)}" if self.taken else ""
            self._noted[f"scripts are not run (lines {lines}){said}"] = []
        return blocks

    def _variable(self, line: int, name: str, value: str) -> None:
        there = self.variables.own.get(name)
        if there is not None and there != value:
            self.note(line, f"@{name} is redefined, and this value is used in the whole file")
        self.variables.own[name] = value

    def _comment(self, block: _Block, line: int, text: str) -> None:
        directive = DIRECTIVE.fullmatch(text)
        if not directive:
            return
        kind, rest = directive[1], directive[2].strip()
        if kind == "capture":
            try:
                block.captures.append(capture(rest))
            except ValueError as problem:
                raise LineError(line, problem) from None
        elif block.begun:
            return
        elif kind == "name":
            block.name, block.titled = rest, False
        elif kind == "no-cookie-jar":
            block.cookies = False
        elif kind == "prompt":
            self.variables.hints[rest.split(" ")[0]] = f"line {line} requires it"

    def _script(self, block: _Block) -> None:
        """Take over the captures of a script, and remember what else it may set."""
        if any(text.strip() and not text.startswith("<>") for _, text in block.script):
            self.scripts.append(block.script[0][0])
        for line, text in block.script:
            for found in SET.finditer(text):
                name, where = found[1], self._captured((found[2] or "").strip())
                if self.variables.of_environment(name) is not None:
                    continue  # overrides the script
                if where and block.begun:
                    block.captures.append(Capture(name=name, kind=where[0], where=where[1]))
                    self.taken.append(f"{name} = {where[0]}:{where[1]} (line {line})")
                else:
                    hint = (
                        f"the script in line {block.script[0][0]} sets it, but scripts are not run"
                    )
                    self.variables.hints.setdefault(name, hint)

    @staticmethod
    def _captured(value: str) -> tuple[str, str] | None:
        """Kind and place of the part of a response that ``value`` refers to."""
        if found := OF_BODY.fullmatch(value.removesuffix("%}").strip()):
            return "json", "$" + found[1].replace('"', "'")
        if found := OF_FIELD.fullmatch(value.removesuffix("%}").strip()):
            return "header", found[1]
        return None

    # From blocks to requests

    def ask(self, block: _Block) -> Ask | None:
        """The request of a block; ``None`` if it has none, or it is not sent."""
        start = next((i for i, (_, text) in enumerate(block.lines) if text.strip()), None)
        if start is None:
            return None
        lines = block.lines[start:]
        line = lines[0][0]
        try:
            request = self._curl(lines) if curl.COMMAND.match(lines[0][1]) else self._request(lines)
            ask = self._ask(block, request, line)
        except _Unsent as problem:
            self.note(line, f"not sent: {problem}")
            return None
        except LineError:
            raise
        except ValueError as problem:
            raise LineError(line, problem) from None
        if block.name and not (block.titled and block.name in self.called):
            self.called[block.name] = self.count
        self.count += 1
        return ask

    def _ask(self, block: _Block, request: _Request, line: int) -> Ask:
        url = self._url(request)
        host, fields = "", []
        digest: tuple[str, str] | None = None
        for number, name, value in request.fields:
            lower = name.lower()
            if lower == "host":
                host = urls.host(value if "://" in value else f"http://{value}")
            elif lower == "authorization":
                try:
                    sent, digest = authorization.written(value)
                except ValueError as problem:
                    raise LineError(number, problem) from None
                fields += [(name, sent)] if sent else []
            elif lower == "upgrade" and value.lower() == "websocket":
                raise _Unsent(OTHER["WEBSOCKET"])
            elif lower == "transfer-encoding":
                self.note(number, f"{name} is not sent, because the body is sent with its length")
            elif lower not in MADE and lower != "connection":
                fields.append((name, value))
        if url.user and not digest and not any(n.lower() == "authorization" for n, _ in fields):
            fields.append(("Authorization", authorization.basic(*url.user)))
        return Ask(
            method=request.method,
            target=url.target,
            shape=self._shape(request),
            host=host or url.host or "localhost",
            fields=tuple(fields),
            body=request.body,
            captures=tuple(block.captures),
            digest=digest,
            cookies=block.cookies,
            source=f"{self.source}:{line}",
        )

    @staticmethod
    def _url(request: _Request) -> urls.Url:
        scheme = urls.SCHEME.match(request.url)
        if scheme and scheme[1].lower() in ("ws", "wss"):
            raise _Unsent(OTHER["WEBSOCKET"])
        if request.url == "*":
            if request.method != "OPTIONS":
                raise ValueError(
                    f"the target * is only valid for OPTIONS, not for {request.method}"
                )
            return urls.Url(target="*")
        return urls.split(request.url)

    @staticmethod
    def _shape(request: _Request) -> str:
        """The target with the names of generated values, if the URL is valid with them."""
        try:
            return urls.split(request.shape).target if request.shape else ""
        except ValueError:
            return ""

    def _curl(self, lines: list[Line]) -> _Request:
        text = self.variables.fill("\n".join(text for _, text in lines))
        found = curl.read(text.strip(), self.folder)
        number = lines[0][0]
        fields = [(number, name, value) for name, value in found.fields]
        for _, name, value in fields:
            _check(number, name, value)
        return _Request(method=found.method, url=found.url, fields=fields, body=found.body)

    def _request(self, lines: list[Line]) -> _Request:
        if lines[0][1].strip() == "{{":
            raise ValueError(HTTPYAC)
        if STATUS.match(lines[0][1]):
            raise _Unsent("it is a response, not a request")
        written, at = _joined(lines)
        method, url = _method(self.variables.fill(written))
        _, shape = _method(self.variables.shape(written))
        fields, at = self._fields(lines, at)
        media = next((v.lower() for _, n, v in fields if n.lower() == "content-type"), "")
        body = self._body(lines[at:], media.partition(";")[0].strip())
        kinds = [v.lower() for _, n, v in fields if n.lower() == "x-request-type"]
        if method == "GRAPHQL" or kinds == ["graphql"]:
            method = "POST" if method == "GRAPHQL" else method
            fields = [each for each in fields if each[1].lower() != "x-request-type"]
            body = graphql_body.body((body or b"").decode()).encode()
            if not media:
                fields.append((lines[0][0], "Content-Type", "application/json"))
        return _Request(method=method, url=url, fields=fields, body=body, shape=shape)

    def _fields(self, lines: list[Line], at: int) -> tuple[list[tuple[int, str, str]], int]:
        """The fields from line ``at`` on, and the index where the body begins."""
        fields: list[tuple[int, str, str]] = []
        while at < len(lines) and lines[at][1].strip():
            number, text = lines[at]
            at += 1
            if text[0].isspace() and fields and not INDENTED_FIELD.match(text.strip()):
                # A value over several lines (RFC 9112 section 5.2).
                text = f"{fields[-1][1]}: {fields.pop()[2]} {text.strip()}"
            try:
                filled = self.variables.fill(text.strip())
            except ValueError as problem:
                raise LineError(number, problem) from None
            found = FIELD.fullmatch(filled)
            if not found:
                said = f'expected a field such as "Accept: text/html", not {text.strip()!r}'
                raise LineError(number, said)
            name, value = found[1], found[2].strip()
            _check(number, name, value)
            fields.append((number, name, value))
        return fields, at + 1

    # Bodies

    def _body(self, lines: list[Line], media: str) -> bytes | None:
        """The content after the empty line, without surrounding empty lines."""
        texts = [number for number, (_, text) in enumerate(lines) if text.strip()]
        if not texts:
            return None
        lines = lines[texts[0] : texts[-1] + 1]
        if media == curl.FORM and not any(FILE.fullmatch(text) for _, text in lines):
            return self._form(lines)
        parts = [self._part(number, text) for number, text in lines]
        # RFC 2046 section 4.1.1; content from a file is unchanged.
        end = b"\r\n" if media.startswith("multipart/") else b"\n"
        return end.join(parts) + (end if media == LINES else b"")

    def _part(self, number: int, text: str) -> bytes:
        if text.strip() == "{{":
            raise LineError(number, HTTPYAC)
        try:
            file = FILE.fullmatch(text)
            if not file:
                return self.variables.fill(text).encode()
            path = self.folder / self.variables.fill(file[2])
            content = path.read_bytes()
            if not file[1]:
                return content
            return self.variables.fill(content.decode(file[1][1:] or "utf-8")).encode()
        except OSError as problem:
            raise LineError(number, f"the body {path} cannot be read: {problem.strerror}") from None
        except (ValueError, LookupError) as problem:
            raise LineError(number, problem) from None

    def _form(self, lines: list[Line]) -> bytes:
        """A form, which may have one pair per line; other characters are escaped."""
        whole = ""
        for number, text in lines:
            part = self._part(number, text.strip()).decode()
            joined = not whole or whole.endswith("&") or part.startswith("&")
            whole = whole.rstrip() + ("" if joined else "\n") + part
        whole = re.sub(r"\s*&\s*", "&", whole)
        if len(lines) > 1:
            whole = re.sub(r"(?:^|(?<=&))([^=&]*?) *= *", r"\1=", whole)
        made, at = "", 0
        for place in PLACE.finditer(whole):
            made += quote(whole[at : place.start()], safe=urls.KEPT) + place[0]
            at = place.end()
        return (made + quote(whole[at:], safe=urls.KEPT)).encode()

    def with_captures(self, asks: list[Ask]) -> list[Ask]:
        """``asks`` with the captures that later requests need."""
        for name, wanted in self.variables.wanted.items():
            if name in self.called:
                number = self.called[name]
                ask = asks[number]
                asks[number] = replace(ask, captures=(*ask.captures, *wanted))
        return asks


def _check(line: int, name: str, value: str) -> None:
    """Raise :class:`LineError` for an invalid field (RFC 9110 section 5.1)."""
    if not TOKEN.fullmatch(name):
        raise LineError(line, f"{name!r} is not a valid field name")
    if not VALUE.fullmatch(value):
        raise LineError(line, f"{value!r} is not a valid value of the field {name}")


def _joined(lines: list[Line]) -> tuple[str, int]:
    """The request line without its version, joined from several lines, and its last index."""
    first = VERSION.sub("", lines[0][1].strip())
    at = 1
    while at < len(lines) and lines[at][1].strip():
        number, text = lines[at]
        part = text.strip()
        if part[0] not in "?&":
            if not text[0].isspace() or INDENTED_FIELD.match(part):
                break
            if re.match(r"[A-Za-z][\w-]*:", part):
                said = f'{part!r} is either a field ("Name: value") or part of the URL'
                raise LineError(number, said)
        first += VERSION.sub("", part)
        at += 1
    return first, at


def _method(text: str) -> tuple[str, str]:
    """Method and URL of a request line. Raises ``ValueError``, or ``_Unsent`` if it is not sent."""
    word, rest = [*text.split(None, 1), "", ""][:2]
    method = word.upper()
    if method in OTHER and rest:
        raise _Unsent(OTHER[method])
    if rest and (method in METHODS or method == "GRAPHQL"):
        return method, rest
    if rest and re.fullmatch(r"[A-Z][A-Z-]*", word):
        return word, rest
    if word.startswith(("/", "{{")) or urls.SCHEME.match(word) or urls.AUTHORITY.match(word):
        return "GET", text.strip()
    raise ValueError(f'expected a request such as "GET /path", not {text!r}')
