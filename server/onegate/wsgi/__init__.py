"""PEP 3333 in one place: the environ, the call, and what comes back. No sockets."""

from onegate.wsgi.call import Call, ClientGone, make_call
from onegate.wsgi.environ import EnvironFactory, field_key
from onegate.wsgi.files import FileWrapper

__all__ = ["Call", "ClientGone", "EnvironFactory", "FileWrapper", "field_key", "make_call"]
