"""Serves with gevent.pywsgi, which has no command: serve.py MODULE:NAME PORT."""

from gevent import monkey

monkey.patch_all()  # before anything else is imported, as its documentation asks

import contextlib  # noqa: E402
import importlib  # noqa: E402
import sys  # noqa: E402

from gevent.pywsgi import WSGIServer  # noqa: E402

module, _, name = sys.argv[1].partition(":")
app = getattr(importlib.import_module(module), name)
with contextlib.suppress(KeyboardInterrupt):
    WSGIServer(("127.0.0.1", int(sys.argv[2])), app).serve_forever()
