"""onegate: a WSGI HTTP/1.1 server in pure Python.

The command ``onegate`` serves; so do :func:`serve` and :class:`Server` from a program. They are
imported on first use: a worker needs neither.
"""

from __future__ import annotations

from onegate._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.serving import Server, serve
    from onegate.settings_error import SettingsError

__all__ = ["Server", "SettingsError", "__version__", "serve"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from onegate import serving  # noqa: PLC0415 - see above

    return getattr(serving, name)
