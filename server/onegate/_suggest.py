"""What somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable


def hint(name: str, known: Iterable[str]) -> str:
    """``"; did you mean …?"`` with the nearest of the ``known`` names; "" if none is near."""
    import difflib  # noqa: PLC0415 - 200 KiB that a server without a mistake does not need

    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
