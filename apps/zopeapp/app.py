"""The matrix's application in Zope: the instance of this directory, and what is around it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from Zope2.Startup.run import make_wsgi_app
from ZPublisher.httpexceptions import HTTPExceptionHandler

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from _typeshed import OptExcInfo

INSTANCE = Path(__file__).parent
OF_THE_SERVER = ("Date", "Server", "X-Powered-By")


def without_server_fields(application: WSGIApplication) -> WSGIApplication:
    """Return ``application`` without the fields that Zope sets in the server's place."""

    def middleware(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(
            status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None
        ) -> Callable[[bytes], object]:
            kept = [each for each in headers if each[0] not in OF_THE_SERVER]
            return start_response(status, kept, exc_info)

        return application(environ, start)

    return middleware


os.environ["INSTANCE_HOME"] = str(INSTANCE)  # zope.conf reads it
app = without_server_fields(HTTPExceptionHandler(make_wsgi_app({}, str(INSTANCE / "zope.conf"))))
