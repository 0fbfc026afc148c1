"""wsgi-matrix: one unmodified server, every framework, controlled limits, identical responses."""

__version__ = "0.2.0"
