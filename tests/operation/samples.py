"""The samples of docs/operation.md, to be tried as they are printed there."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "operation.md"


def sample(name: str, changes: dict[str, str]) -> str:
    """The sample whose first line is ``# name``.

    ``changes``: what is printed there, and what stands for it on this machine.
    """
    blocks = re.findall(r"^```\w+\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    [text] = [block for block in blocks if block.startswith(f"# {name}\n")]
    for printed, here in changes.items():
        assert printed in text, f"{name} of {PAGE.name} has no {printed!r} in it any more"
        text = text.replace(printed, here)
    return str(text)
