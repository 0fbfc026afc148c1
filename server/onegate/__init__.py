"""onegate: a WSGI HTTP/1.1 server in pure Python."""

__version__ = "0.1.0"
