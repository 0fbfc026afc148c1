"""Runs uv, which resolves and unpacks requirements, and explains its errors."""

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
"""Maximum number of lines of uv's message to show."""
_ADVICE: tuple[tuple[str, str], ...] = (
    (
        r"no usable wheels|building from source is disabled|requires? building",
        "NAME only exists as a source distribution: --sdists builds it on this host (which runs "
        "its code), or build a wheel with `pip wheel -w wheels NAME` and add `--find-links wheels` "
        "to the requirements",
    ),
    (
        r"Building source distributions for \S+ is disabled",
        "the requirements of NAME are only known after building it (its metadata is dynamic, PEP "
        "621): --sdists builds it on this host, which runs its code",
    ),
    (
        r"requires? Python|Python requirement|python-version|Python version",
        "use another Python, as in --python 3.13",
    ),
    (
        r"pre-?release",
        "to use a pre-release, require its version: NAME==1.0rc1",
    ),
)
"""Advice by patterns in uv's message."""
_finding = threading.Lock()


def uv_program() -> str:
    """The path of the program, found under a lock.

    Bundles are made by several threads, and ``sysconfig`` returns incomplete results to a thread
    while another one initialises it. Raises ``FileNotFoundError`` if uv is not installed.
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
    """Run uv in ``folder``; return its stdout.

    Raises :class:`SetupError`, which begins with ``what`` ("app shop: requirements.txt cannot be
    resolved"), if it fails or takes more than ``deadline`` seconds; ``advice``: what to do if no
    specific advice applies; ``files``: the user's files, whose lines are listed. ``known_as``:
    replacements for names in uv's output.
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
        raise SetupError(f"{what}: timed out after {deadline:.0f} s") from None
    if done.returncode:
        # uv wraps lines anywhere, even in a path with spaces.
        text = explained(done.stderr, advice, known)
        lines = uv_error_locations.mentioned(known(" ".join(done.stderr.split())), files)
        where = f": {lines}" if lines else ""
        raise SetupError(f"{what}{where}: {text}")
    return known(done.stdout)


def explained(stderr: str, advice: str = "", renamed: Callable[[str], str] = str) -> str:
    """One line from uv's ``stderr``, with advice in terms of wsgi-matrix.

    uv's own hints refer to options of uv, which do not exist here. ``renamed``: replaces names.
    """
    paragraphs = re.split(r"\n(?=hint:)|\n\s*\n", stderr)
    kept = [each for each in paragraphs if each.strip() and not each.startswith("hint:")]
    lines = [" ".join(line.split()) for each in kept for line in each.splitlines() if line.strip()]
    named = re.search(r"(?:Wheels are required|distributions) for `([\w.-]+)`", stderr)
    name = named[1] if named else "NAME"
    known = [
        text.replace("NAME", name)
        for pattern, text in _ADVICE
        if re.search(pattern, stderr, re.IGNORECASE)
    ]
    found = known[:1] or ([advice] if advice else [])
    return "; ".join([renamed(" ".join(lines[:SHOWN])).rstrip("."), *found])
