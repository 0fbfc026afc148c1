"""Serves with eventlet.wsgi, which has no command: serve.py MODULE:NAME PORT."""

import eventlet

eventlet.monkey_patch()  # before anything else is imported, as its documentation asks

import contextlib  # noqa: E402
import importlib  # noqa: E402
import sys  # noqa: E402

from eventlet import wsgi  # noqa: E402

module, _, name = sys.argv[1].partition(":")
app = getattr(importlib.import_module(module), name)
with contextlib.suppress(KeyboardInterrupt):
    wsgi.server(eventlet.listen(("127.0.0.1", int(sys.argv[2]))), app)
