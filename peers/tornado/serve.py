"""Serves with Tornado's WSGIContainer, as its documentation shows: serve.py MODULE:NAME PORT."""

import asyncio
import contextlib
import importlib
import sys

from tornado.httpserver import HTTPServer
from tornado.wsgi import WSGIContainer

module, _, name = sys.argv[1].partition(":")
app = getattr(importlib.import_module(module), name)


async def main() -> None:
    """Listen, until the signal comes."""
    HTTPServer(WSGIContainer(app)).listen(int(sys.argv[2]), "127.0.0.1")
    await asyncio.Event().wait()


with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(main())
