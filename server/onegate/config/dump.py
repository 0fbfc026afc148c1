"""Settings as a file for ``--config``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from onegate.config.settings import OPTIONS
from onegate.config.sources import Loaded


def to_toml(loaded: Loaded) -> str:
    """Every setting in TOML, with where it came from; read again it gives the same settings."""
    return "\n".join(_lines(loaded)) + "\n"


def _lines(loaded: Loaded) -> Iterator[str]:
    for title, options in groupby(OPTIONS.values(), lambda option: option.group):
        yield f"# {title}"
        for option in options:
            value = getattr(loaded.settings, option.name)
            text = option.kind.to_toml(value)
            origin = loaded.origins[option.name]
            if text is None or not option.in_file:
                said = "is not set" if text is None else f"= {text}"
                yield f"# {option.name} {said}  # {comment(origin)}"
            else:
                yield f"{option.name} = {text}  # {comment(origin)}"
        yield ""


def comment(text: str) -> str:
    """``text`` as a comment of TOML can hold it: without control characters."""
    return "".join(character if character.isprintable() else "?" for character in text)
