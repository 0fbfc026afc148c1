"""Serves with wsgiref as its documentation shows: serve.py MODULE:NAME PORT."""

import contextlib
import importlib
import sys
from wsgiref.simple_server import make_server

module, _, name = sys.argv[1].partition(":")
app = getattr(importlib.import_module(module), name)
with (
    make_server("127.0.0.1", int(sys.argv[2]), app) as server,
    contextlib.suppress(KeyboardInterrupt),
):
    server.serve_forever()
