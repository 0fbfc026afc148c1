"""Serves with Werkzeug's development server, as `flask run` does: serve.py MODULE:NAME PORT."""

import importlib
import sys

from werkzeug.serving import run_simple

module, _, name = sys.argv[1].partition(":")
app = getattr(importlib.import_module(module), name)
run_simple("127.0.0.1", int(sys.argv[2]), app, threaded=True)
