"""The environ of PEP 3333, "environ Variables".

Everything that is the same for all requests of a listener is in a template that is copied; a
request adds what is its own. All values that come from the wire are native strings that hold
octets, one character for one octet (PEP 3333, "Unicode Issues").
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable

from onegate.wsgi.file_wrapper import FileWrapper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any, TextIO

    from onegate.http1 import Head

_PROTOCOL = [f"HTTP/1.{minor}" for minor in range(10)]

# pct-encoded = "%" HEXDIG HEXDIG (RFC 3986, 2.1). urllib.parse has it too, and brings ipaddress
# along: 0.4 MiB.
_PCT_ENCODED = re.compile("%([0-9A-Fa-f]{2})")


def field_key(name: str) -> str | None:
    """The environ key of a field, or None if it must not reach the application.

    A name with ``_`` is dropped: in the environ it would collide with the one with ``-`` that a
    proxy in front has checked. ``Proxy`` is dropped because ``HTTP_PROXY`` means something else
    to half of the world's HTTP clients (httpoxy).
    """
    if "_" in name or name == "proxy":
        return None
    if name == "content-type":
        return "CONTENT_TYPE"
    if name == "content-length":
        return "CONTENT_LENGTH"
    return sys.intern("HTTP_" + name.upper().replace("-", "_"))


def octets(text: str) -> str:
    """``text`` of a setting as a native string of the environ: its octets in UTF-8, one character
    for each (PEP 3333, "Unicode Issues")."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _decoded(path: str) -> str:
    return _PCT_ENCODED.sub(lambda match: chr(int(match[1], 16)), path)


class ErrorStream:
    """``wsgi.errors``: standard error that takes any text (PEP 3333, "Input and Error Streams").

    What the terminal's or log file's encoding cannot hold is written as a backslash escape.
    """

    def write(self, text: str) -> int:
        """Write ``text`` and return its length."""
        stream: TextIO = sys.stderr
        try:
            return stream.write(text)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write every line of ``lines``."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flush standard error."""
        sys.stderr.flush()


class EnvironFactory:
    """Makes environs for the requests that arrive at one listener."""

    def __init__(
        self,
        *,
        server_name: str,
        server_port: str,
        scheme: str,
        script_name: str = "",
        unix: bool = False,
        extra: Iterable[tuple[str, str]] = (),
        multithread: bool,
        multiprocess: bool,
    ) -> None:
        self.unix = unix
        """Whether clients come through a Unix socket, where nothing has a port.

        A client's port that is not known is left out (PEP 3333: "missing variables should be
        left out"). REMOTE_ADDR stays, empty, which is the same to CGI (RFC 3875, 4.1), because
        applications take for granted that it is there.
        """
        # As it is cut off the path, so decoded. The slash that follows belongs to PATH_INFO.
        self._script_name = script_name = _decoded(octets(script_name)).rstrip("/")
        template: dict[str, Any] = {
            "GATEWAY_INTERFACE": "CGI/1.1",
            "SCRIPT_NAME": script_name,
            "SERVER_NAME": server_name,
            "SERVER_PORT": server_port,
            "SERVER_SOFTWARE": "onegate",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": scheme,
            "wsgi.errors": ErrorStream(),
            "wsgi.multithread": multithread,
            "wsgi.multiprocess": multiprocess,
            "wsgi.run_once": False,
            "wsgi.file_wrapper": FileWrapper,
            # The stream ends where the content ends, whatever CONTENT_LENGTH says or does not say.
            "wsgi.input_terminated": True,
            # What is set for each request: a copy of the template has the room for it already.
            "REMOTE_ADDR": "",
            "REMOTE_PORT": "",
            "wsgi.input": None,
            "wsgi.early_hints": None,
            "REQUEST_METHOD": "",
            "RAW_URI": "",
            "REQUEST_URI": "",
            "SERVER_PROTOCOL": "",
            "QUERY_STRING": "",
            "PATH_INFO": "",
        }
        if scheme == "https":
            template["HTTPS"] = "on"
        template.update((octets(name), octets(value)) for name, value in extra)
        self.new = template.copy

    @staticmethod
    def port_of_https(environ: dict[str, Any]) -> None:
        """SERVER_PORT is required (PEP 3333), and a Unix socket has none: it is the scheme's."""
        if environ["SERVER_PORT"] == "80":
            environ["SERVER_PORT"] = "443"

    def complete(
        self,
        head: Head,
        environ: dict[str, Any],
        peer: tuple[str, str],
        content: IO[bytes] | None,
        length: int = 0,
    ) -> dict[str, Any]:
        """Turn ``environ``, the fields of ``head``, into the environ of its request; return it.

        ``peer``: address and port of the client. ``content``, ``length``: that of the request, and
        its octets.
        """
        environ["REQUEST_METHOD"] = head.method
        environ["RAW_URI"] = environ["REQUEST_URI"] = target = head.target
        environ["SERVER_PROTOCOL"] = _PROTOCOL[head.minor]
        if target[0] != "/":
            target = self._origin_form(environ, head)
        path, _, environ["QUERY_STRING"] = target.partition("?")
        if "%" in path:
            path = _decoded(path)
        if self._script_name and f"{path}/".startswith(f"{self._script_name}/"):
            path = path[len(self._script_name) :]
        environ["PATH_INFO"] = path
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = peer
        environ["wsgi.input"] = content
        if head.chunked:
            # The application sees decoded content, and its length is known by now.
            environ["CONTENT_LENGTH"] = str(length)
            del environ["HTTP_TRANSFER_ENCODING"]
        return environ

    @staticmethod
    def _origin_form(environ: dict[str, Any], head: Head) -> str:
        """Path and query of a target in absolute-form or ``*`` (RFC 9112, 3.2.2 and 3.2.4)."""
        if head.target == "*":
            return ""
        environ["HTTP_HOST"] = head.authority
        rest = head.target.partition("://")[2][len(head.authority) :]
        return rest if rest.startswith("/") else "/" + rest
