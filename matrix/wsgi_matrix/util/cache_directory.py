"""The directory for caches that many runs share."""

from __future__ import annotations

import os
from pathlib import Path

from wsgi_matrix.errors import UserError


def cache_directory() -> Path:
    """The user's cache directory, by the XDG Base Directory Specification.

    Raises :class:`~wsgi_matrix.errors.UserError` if it is not set and there is no home directory.
    """
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not named.is_absolute():
        try:
            named = Path.home() / ".cache"
        except RuntimeError:
            raise UserError(
                f"uid {os.getuid()} has no home directory: set HOME, or XDG_CACHE_HOME to a "
                "directory that it can write to"
            ) from None
    return named / "wsgi-matrix"
