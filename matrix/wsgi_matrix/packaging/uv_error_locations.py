"""Which lines of what people wrote an error of uv is about: uv reads a lock that we made of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

MOST = 3
"""Lines that are named."""
_NAME = r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?"
_MENTIONED = re.compile(rf"(?:`|\brequires? |\bdepends on |\bfound: |\bprovided for: )({_NAME})")
"""How uv names a distribution."""
_REQUIREMENT = re.compile(rf"({_NAME})\s*(?:\[[^]]*\]\s*)?(?:(?:[=!~]=|[<>]=?|===)|[@(;,]|$)")
_END = re.compile(r"\s(?:--hash\b|#)|\s*\\$|;")
"""What stands behind a requirement in its line."""
_QUOTED = {
    ".toml": re.compile(rf"[\"']({_NAME})"),
    ".lock": re.compile(rf"^(?:name = |\s*(?=\"[^\"]*\":))\"({_NAME})\""),
}
"""A distribution in a project or a lock, by the suffix of its file."""


def mentioned(said: str, files: Sequence[Path]) -> str:
    """``requirements.txt, line 3 (tiny==1.0)``: what ``said`` is about; empty if nothing is found.

    ``said``: in one line. ``files``: in pip's format, or projects and locks in TOML or JSON.
    """
    order = [normalised(each) for each in _MENTIONED.findall(said)]
    found: dict[str, int] = {}
    for file in files:
        for number, name, text in _requirements(file):
            if name in order:
                found[f"{file.name}, line {number} ({text})"] = order.index(name)
            elif not name and Path(text).name in said:
                found[f"{file.name}, line {number} ({text})"] = len(order)
    return "; ".join(sorted(found, key=found.__getitem__)[:MOST])


def _requirements(file: Path) -> Iterator[tuple[int, str, str]]:
    """Line, name and text of each requirement; what has no name is a path, or no requirement."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    goes_on = False
    for number, line in enumerate(lines, 1):
        if pattern := _QUOTED.get(file.suffix):
            yield from ((number, normalised(each), each) for each in pattern.findall(line))
            continue
        text = _END.split(line.strip(), maxsplit=1)[0].strip()
        if text and not goes_on and not text.startswith(("#", "-")):
            name = _REQUIREMENT.match(text)
            yield number, normalised(name[1]) if name else "", text
        goes_on = line.endswith("\\")


def normalised(name: str) -> str:
    """A distribution's name for comparison (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
