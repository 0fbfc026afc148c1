"""Serves with freastal, which has a function and no command: serve.py MODULE:NAME PORT WORKERS."""

import importlib
import sys

import freastal

module, _, name = sys.argv[1].partition(":")
app = getattr(importlib.import_module(module), name)
freastal.serve(app, host="127.0.0.1", port=int(sys.argv[2]), workers=int(sys.argv[3]))
