"""Logging: the standard library's, on standard error."""

from __future__ import annotations

import logging
import sys


def configure() -> None:
    """Send the server's own messages to standard error, one line each."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        logging.Formatter(
            "%(asctime)s [%(process)d] %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S"
        )
    )
    root = logging.getLogger("onegate")
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    root.propagate = False


def reopen() -> None:
    """x"""
