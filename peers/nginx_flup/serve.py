"""Serves with flup, which has no command, as FastCGI on a Unix socket: MODULE:NAME SOCKET."""

import importlib
import sys

from flup.server.fcgi import WSGIServer

module, _, name = sys.argv[1].partition(":")
app = getattr(importlib.import_module(module), name)
WSGIServer(app, bindAddress=sys.argv[2]).run()
