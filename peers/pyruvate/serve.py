"""Serves with Pyruvate, which has a function and no command: serve.py MODULE:NAME PORT THREADS."""

import contextlib
import importlib
import sys

import pyruvate

module, _, name = sys.argv[1].partition(":")
app = getattr(importlib.import_module(module), name)
with contextlib.suppress(KeyboardInterrupt):
    pyruvate.serve(app, f"127.0.0.1:{sys.argv[2]}", int(sys.argv[3]))
