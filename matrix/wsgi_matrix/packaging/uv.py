"""Runs uv, which resolves and unpacks what apps and servers require, and reads what it says."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import uv

from wsgi_matrix.errors import SetupError
from wsgi_matrix.packaging import uv_error_locations

SHOWN = 12
"""Lines of uv's explanation that are shown."""
_ADVICE: tuple[tuple[str, str], ...] = (
    (
        r"no usable wheels|building from source is disabled|requires? building",
        "NAME is there as a source distribution only: --sdists builds it on this machine (which "
        "runs its code here), or make its wheel with `pip wheel -w wheels NAME` and write "
        "`--find-links wheels` into the requirements",
    ),
    (
        r"Building source distributions for \S+ is disabled",
        "what NAME requires is known only when it is built (its metadata is dynamic, PEP 621): "
        "--sdists builds it on this machine, which runs its code here",
    ),
    (
        r"requires? Python|Python requirement|python-version|Python version",
        "--python 3.13 chooses another Python",
    ),
    (
        r"pre-?release",
        "a pre-release is taken where the requirements name it: NAME==1.0rc1",
    ),
)
"""What to do, by what uv says."""
_finding = threading.Lock()


def uv_program() -> str:
    """The path of the program. Bundles are made by several threads, and ``sysconfig``, which is
    asked for it, gives half an answer to a thread that asks while another one is the first.

    Raises ``FileNotFoundError`` where it is not installed.
    """
    with _finding:
        return uv.find_uv_bin()


def run(
    words: Sequence[str],
    what: str,
    *,
    deadline: float,
    folder: Path | None = None,
    advice: str = "",
    files: Sequence[Path] = (),
    known_as: Mapping[str, str] | None = None,
) -> str:
    """Run uv in ``folder``; what it wrote on stdout.

    Raises :class:`SetupError`, beginning with ``what`` ("app shop: requirements.txt cannot be
    resolved"), if it fails or takes more than ``deadline`` seconds; ``advice``: what to do where
    nothing better is known; ``files``: what people wrote, whose lines are named. ``known_as``: what
    stands in place of names that uv was given, in what it writes.
    """

    def known(text: str) -> str:
        for given, name in (known_as or {}).items():
            text = text.replace(given, name)
        return text

    try:
        done = subprocess.run(
            [uv_program(), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=deadline, check=False, cwd=folder,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise SetupError(f"{what}: it took more than {deadline:.0f} s") from None
    if done.returncode:
        # uv breaks its lines anywhere, in a path with spaces too.
        told = explained(done.stderr, advice, known)
        lines = uv_error_locations.mentioned(known(" ".join(done.stderr.split())), files)
        where = f": {lines}" if lines else ""
        raise SetupError(f"{what}{where}: {told}")
    return known(done.stdout)


def explained(stderr: str, advice: str = "", renamed: Callable[[str], str] = str) -> str:
    """One line of uv's ``stderr``, with advice in our terms.

    uv's own hints name options of uv, which nobody has here. ``renamed``: what people read of it.
    """
    paragraphs = re.split(r"\n(?=hint:)|\n\s*\n", stderr)
    told = [each for each in paragraphs if each.strip() and not each.startswith("hint:")]
    lines = [" ".join(line.split()) for each in told for line in each.splitlines() if line.strip()]
    named = re.search(r"(?:Wheels are required|distributions) for `([\w.-]+)`", stderr)
    name = named[1] if named else "NAME"
    known = [
        text.replace("NAME", name)
        for pattern, text in _ADVICE
        if re.search(pattern, stderr, re.IGNORECASE)
    ]
    found = known[:1] or ([advice] if advice else [])
    return "; ".join([renamed(" ".join(lines[:SHOWN])).rstrip("."), *found])
