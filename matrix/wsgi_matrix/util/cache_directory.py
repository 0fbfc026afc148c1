"""Where is kept what is made once and used by many runs."""

from __future__ import annotations

import os
from pathlib import Path

from wsgi_matrix.errors import UserError


def cache_directory() -> Path:
    """Where bundles and images' parts are kept, by the XDG Base Directory Specification.

    Raises :class:`~wsgi_matrix.errors.UserError` where there is no home directory either.
    """
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not named.is_absolute():
        try:
            named = Path.home() / ".cache"
        except RuntimeError:
            raise UserError(
                f"uid {os.getuid()} has no home directory: set HOME, or XDG_CACHE_HOME to a "
                "directory that it may write"
            ) from None
    return named / "wsgi-matrix"
