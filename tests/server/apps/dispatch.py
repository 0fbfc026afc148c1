"""All the apps of this folder in one process: /plain/MODULE and /validated/MODULE.

The environ is passed on as it is, so that SCRIPT_NAME and PATH_INFO are the server's. An attribute
other than ``app`` is named as in MODULE:NAME.
"""

import importlib
from wsgiref.validate import validator


def app(environ, start_response):
    how, name = environ["PATH_INFO"].split("/")[1:3]
    module, _, attribute = name.partition(":")
    found = getattr(importlib.import_module(module), attribute or "app")
    if how == "validated":
        found = validator(found)
    return found(environ, start_response)
