"""A running server for tests.

with onegate.testing.Server(app) as server:
    assert urllib.request.urlopen(server.url + "/hello").status == 200
"""

from __future__ import annotations

from onegate.serving import Server as _Server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Server(_Server):
    """:class:`onegate.Server` on a free port of the loopback interface, unless ``bind`` says
    otherwise; ``settings`` and errors as there."""

    def __init__(self, app: Callable[..., Any], **settings: Any) -> None:
        super().__init__(app, **{"bind": ["127.0.0.1:0"], **settings})

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end: ``http://127.0.0.1:43817``."""
        return self.urls[0]
