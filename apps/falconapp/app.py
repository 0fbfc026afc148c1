"""The matrix's application in Falcon."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import falcon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from _typeshed import OptExcInfo


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

app = canonical_names(api)
