"""Serves with fastwsgi, which has a function and no command: serve.py MODULE:NAME PORT."""

import importlib
import sys

import fastwsgi

module, _, name = sys.argv[1].partition(":")
app = getattr(importlib.import_module(module), name)
fastwsgi.run(wsgi_app=app, host="127.0.0.1", port=int(sys.argv[2]))
