"""What wsgo loads: the callable that WSGI_APP names, under the name that it looks for."""

import importlib
import os

module, _, name = os.environ["WSGI_APP"].partition(":")
application = getattr(importlib.import_module(module), name)
