"""Serves with bjoern, which has a function and no command: serve.py MODULE:NAME PORT."""

import contextlib
import importlib
import sys

import bjoern

module, _, name = sys.argv[1].partition(":")
app = getattr(importlib.import_module(module), name)
with contextlib.suppress(KeyboardInterrupt):
    bjoern.run(app, "127.0.0.1", int(sys.argv[2]))
