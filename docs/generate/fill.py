"""Put the output of a run into README.md: ``COMMAND | python -m docs.generate.fill BLOCK``.

Below it stand the date and the versions. Empty input changes nothing and exits with 1.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from docs.generate import blocks, versions

README = Path(__file__).parents[2] / "README.md"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def filled(readme: str, name: str, output: str) -> str:
    """``readme`` with ``output`` as a code block in the block ``name``.

    Raises :class:`blocks.BlockError`, also if there is no output.
    """
    lines = [line.rstrip() for line in ESCAPES.sub("", output).splitlines()]
    if not any(lines):
        raise blocks.BlockError(f"no output for {name!r}")
    code = "\n".join(lines).strip("\n")
    today = datetime.now(UTC).date().isoformat()
    origin = f"{today}, onegate {versions.onegate()}, wsgi-matrix {versions.matrix()}"
    return blocks.fill(readme, name, f"```text\n{code}\n```\n\n{origin}")


def main(name: str, output: str) -> int:
    """Write it."""
    try:
        README.write_text(filled(README.read_text("utf-8"), name, output), "utf-8")
    except blocks.BlockError as problem:
        print(f"README.md: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.stdin.read()))
