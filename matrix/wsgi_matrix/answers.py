"""An answer taken apart for judging and for showing; the octets themselves are never changed."""

from __future__ import annotations

from dataclasses import dataclass

from wsgi_matrix.probe.agent.answer import AnswerReader, dechunk


@dataclass(frozen=True)
class Answer:
    """One HTTP/1.x answer. ``fields`` in order and spelling as sent; ``body`` without framing."""

    status_line: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def values(self, name: bytes) -> list[bytes]:
        """Values of the fields called ``name``, in any case."""
        return [value for field, value in self.fields if field.lower() == name.lower()]


def split(raw: bytes, method: bytes = b"GET") -> Answer:
    """Take apart a whole answer (of the probe). Interim answers before it are passed over."""
    reader = AnswerReader(method)
    reader.feed(raw)
    reader.end()
    start = raw.find(reader.head) + len(reader.head)
    lines = reader.head.split(b"\r\n")
    fields = []
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            fields.append((name, value.strip()))
    answer = Answer(lines[0], tuple(fields), raw[start:])
    if not answer.body:
        return answer  # to HEAD, say: fields tell of a framing that is not there
    if b"chunked" in b",".join(answer.values(b"transfer-encoding")).lower():
        return Answer(lines[0], answer.fields, dechunk(answer.body))
    return answer


def where_differs(expected: bytes, got: bytes) -> str:
    """The first difference of two answers, for people: which part, and both sides' octets."""
    ours, theirs = expected.splitlines(keepends=True), got.splitlines(keepends=True)
    number = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
    if number is None:
        if len(ours) == len(theirs):
            return "nothing"
        number = min(len(ours), len(theirs))
    head_lines = expected.partition(b"\r\n\r\n")[0].count(b"\r\n") + 1
    got_head_lines = got.partition(b"\r\n\r\n")[0].count(b"\r\n") + 1
    offset = next(
        (i for i, (a, b) in enumerate(zip(expected, got, strict=False)) if a != b),
        min(len(expected), len(got)),
    )
    if number == 0:
        part = "status line"
    elif number < max(head_lines, got_head_lines):
        part = f"header field {number}"
    else:
        start = expected.find(b"\r\n\r\n") + 4
        part = f"body, octet {offset - start}"
    return f"{part}: expected {_show(ours, number)}, got {_show(theirs, number)} (octet {offset})"


def _show(lines: list[bytes], number: int) -> str:
    if number >= len(lines):
        return "the end"
    line = lines[number]
    return repr(line if len(line) <= 200 else line[:200] + b"...")
