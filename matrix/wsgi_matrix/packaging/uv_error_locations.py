"""Finds the lines in the user's files that an error of uv is about; uv reads a derived lock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

MOST = 3
"""Maximum number of lines in an error."""
_NAME = r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?"
_MENTIONED = re.compile(rf"(?:`|\brequires? |\bdepends on |\bfound: |\bprovided for: )({_NAME})")
"""How uv mentions a distribution."""
_REQUIREMENT = re.compile(rf"({_NAME})\s*(?:\[[^]]*\]\s*)?(?:(?:[=!~]=|[<>]=?|===)|[@(;,]|$)")
_END = re.compile(r"\s(?:--hash\b|#)|\s*\\$|;")
"""What may follow a requirement in its line."""
_QUOTED = {
    ".toml": re.compile(rf"[\"']({_NAME})"),
    ".lock": re.compile(rf"^(?:name = |\s*(?=\"[^\"]*\":))\"({_NAME})\""),
}
"""Matches a distribution in a project or a lock, by the file's suffix."""


def mentioned(said: str, files: Sequence[Path]) -> str:
    """``requirements.txt, line 3 (tiny==1.0)``: the lines that ``said`` is about; empty if none.

    ``said``: an error in one line. ``files``: in pip's format, or projects and locks.
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
    """Line number, name and text of each requirement that has a name."""
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
