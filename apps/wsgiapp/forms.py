"""Bodies of requests: octets, and forms in ``multipart/form-data`` (RFC 7578)."""

from __future__ import annotations

from email.message import Message
from email.parser import HeaderParser
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment


def read_body(environ: WSGIEnvironment) -> bytes:
    """The whole body: to its end where the server says that it has one, else by its length."""
    if environ.get("wsgi.input_terminated"):
        return bytes(environ["wsgi.input"].read())
    length = environ.get("CONTENT_LENGTH") or "0"
    return bytes(environ["wsgi.input"].read(int(length)))


def read_multipart(
    content_type: str, body: bytes
) -> tuple[dict[str, list[str]], list[dict[str, Any]]]:
    """Fields by name, and what is known of each file."""
    boundary = _parameters(content_type).get_param("boundary", header="content-type")
    fields: dict[str, list[str]] = {}
    files = []
    for part in body.split(b"--" + str(boundary).encode())[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        # Browsers send names in UTF-8 as they are (RFC 7578 section 5.1.2).
        said = HeaderParser().parsestr(head.decode("utf-8", "replace"))
        name = str(said.get_param("name", header="content-disposition"))
        filename = said.get_param("filename", header="content-disposition")
        if filename is None:
            fields.setdefault(name, []).append(content.decode("utf-8", "replace"))
            continue
        digest = sha256(content).hexdigest()
        files.append(
            {"field": name, "name": str(filename), "size": len(content), "sha256": digest}
        )
    return fields, files


def _parameters(content_type: str) -> Message:
    message = Message()
    message["Content-Type"] = content_type
    return message
