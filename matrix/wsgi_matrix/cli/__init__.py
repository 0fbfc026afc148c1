"""The command ``wsgi-matrix``: a thin front door to the runner, a module for each sub-command."""

from wsgi_matrix.cli.main import main

__all__ = ["main"]
