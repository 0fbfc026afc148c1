"""PEP 3333 in one place: the environ, the call, and what comes back. No sockets."""

from onegate.wsgi.environ import EnvironFactory, field_key
from onegate.wsgi.file_wrapper import FileWrapper
from onegate.wsgi.handler import Call, ClientDisconnected, make_call

__all__ = ["Call", "ClientDisconnected", "EnvironFactory", "FileWrapper", "field_key", "make_call"]
