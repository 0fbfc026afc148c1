"""Serves with uvicorn and a2wsgi, as the latter's documentation shows: MODULE:NAME PORT THREADS."""

import importlib
import sys

import uvicorn
from a2wsgi import WSGIMiddleware

module, _, name = sys.argv[1].partition(":")
app = getattr(importlib.import_module(module), name)
uvicorn.run(WSGIMiddleware(app, workers=int(sys.argv[3])), host="127.0.0.1", port=int(sys.argv[2]))
