"""Where uv is, which resolves and unpacks what apps and servers require."""

from __future__ import annotations

import threading

import uv

_finding = threading.Lock()


def uv_program() -> str:
    """The path of the program. Bundles are made by several threads, and ``sysconfig``, which is
    asked for it, gives half an answer to a thread that asks while another one is the first.

    Raises ``FileNotFoundError`` where it is not installed.
    """
    with _finding:
        return uv.find_uv_bin()
