"""The matrix's application in Falcon."""

from __future__ import annotations

import time
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import falcon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from _typeshed import OptExcInfo

FILES = Path(__file__).parent / "files"


class Hello:
    """``/hello``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "Hello, World!\n"

    on_head = on_get  # Falcon answers HEAD with 405 unless a resource says otherwise


class Framework:
    """``/framework``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {"framework": "falcon", "version": version("falcon")}

    on_head = on_get


class Echo:
    """``/echo``: what arrived, for any method."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        body = req.bounded_stream.read()
        resp.media = {
            "method": req.method,
            "type": req.content_type or "",
            "length": len(body),
            "sha256": sha256(body).hexdigest(),
        }

    on_head = on_post = on_put = on_patch = on_delete = on_propfind = on_get


class Query:
    """``/query``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {name: req.get_param_as_list(name) for name in req.params}

    on_head = on_get


class Form:
    """``/form``: the form as Falcon's media handlers take it apart."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        fields: dict[str, list[str]] = {}
        files: list[dict[str, Any]] = []
        if (req.content_type or "").startswith(falcon.MEDIA_URLENCODED):
            for name, value in req.get_media().items():
                fields[name] = value if isinstance(value, list) else [value]
        else:
            for part in req.get_media():
                if part.filename is None:
                    fields.setdefault(part.name, []).append(part.get_text())
                    continue
                content = part.get_data()
                found = {"field": part.name, "name": part.filename, "size": len(content)}
                files.append({**found, "sha256": sha256(content).hexdigest()})
        resp.media = {"fields": fields, "files": files}


class PathText:
    """``/path/{text}``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, text: str) -> None:
        resp.media = {"text": text}

    on_head = on_get


class Headers:
    """``/headers``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        named = {name.lower(): value for name, value in req.headers.items()}
        resp.media = {name: value for name, value in named.items() if name.startswith("x-")}

    on_head = on_get


class Cookies:
    """``/cookies``; Falcon's cookies are Secure and HttpOnly unless told otherwise."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.set_cookie("first", "1", path="/", secure=False, http_only=False)
        resp.set_cookie("second", "2", path="/", secure=False, http_only=True)
        resp.media = req.cookies

    on_head = on_get


class Redirect:
    """``/redirect``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        raise falcon.HTTPFound("/hello")

    on_head = on_get


class Status:
    """``/status/{code}``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, code: int) -> None:
        resp.status = falcon.code_to_http_status(code)
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "" if code in (204, 304) else f"{code}\n"

    on_head = on_get


class Error:
    """``/error``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        raise RuntimeError("a secret of the application")

    on_head = on_get


class Stream:
    """``/stream``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        def lines() -> Iterator[bytes]:
            for number in range(5):
                yield b"line %d\n" % number

        resp.content_type = falcon.MEDIA_TEXT
        resp.stream = lines()

    on_head = on_get


class Octets:
    """``/bytes/{size}``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, size: int) -> None:
        resp.content_type = "application/octet-stream"
        resp.data = (bytes(range(256)) * (size // 256 + 1))[:size]

    on_head = on_get


class Slow:
    """``/slow``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        time.sleep(0.2)
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "slow\n"

    on_head = on_get


def canonical_names(application: WSGIApplication) -> WSGIApplication:
    """Return ``application`` with its field names spelled ``Content-Type``, not ``content-type``.

    Falcon keeps names in lower case, which RFC 9110 section 5.1 allows and nothing in its API
    changes. The matrix compares octets, so that the name is put right in WSGI middleware.
    """

    def middleware(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(
            status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None
        ) -> Callable[[bytes], object]:
            return start_response(status, [(k.title(), v) for k, v in headers], exc_info)

        return application(environ, start)

    return middleware


api = falcon.App()
api.add_route("/hello", Hello())
api.add_route("/framework", Framework())
api.add_route("/echo", Echo())
api.add_route("/query", Query())
api.add_route("/form", Form())
api.add_route("/path/{text}", PathText())
api.add_route("/headers", Headers())
api.add_route("/cookies", Cookies())
api.add_route("/redirect", Redirect())
api.add_route("/status/{code:int}", Status())
api.add_route("/error", Error())
api.add_route("/stream", Stream())
api.add_route("/bytes/{size:int}", Octets())
api.add_static_route("/file", FILES)
api.add_route("/slow", Slow())

app = canonical_names(api)
