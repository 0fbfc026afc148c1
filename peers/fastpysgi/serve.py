"""Serves with FastPySGI as its documentation shows: serve.py MODULE:NAME PORT.

Not by its command: what that loads from the current directory is not in sys.modules, which
dataclasses, for one, look up.
"""

import importlib
import sys

import fastpysgi

module, _, name = sys.argv[1].partition(":")
app = getattr(importlib.import_module(module), name)
fastpysgi.run(app, host="127.0.0.1", port=int(sys.argv[2]))
