"""Fuzzes the request reader with atheris, guided by the branches that an input takes.

    python -m tests.fuzz.http1_requests [SECONDS [FOLDER]]

Starts from the corpus of ``tests/server/http1`` and keeps what it learns in FOLDER, which is
``build/fuzz`` without it. The first input for which ``oracle.check`` does not hold ends it with
another status than 0 and is written there as ``crash-…``; once understood, it becomes a case of
the corpus.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["onegate.http1"]):
    from onegate.http1 import RequestReader  # noqa: F401 - whose branches are to be seen

from tests.server.http1.cases import CASES
from tests.server.http1.oracle import check

ROOT = Path(__file__).parents[2]
MAX_OCTETS = 1024
WORDS = [
    *("GET ", "HEAD ", "CONNECT ", "OPTIONS * ", "http://", " HTTP/1.1\r\n", " HTTP/1.0\r\n"),
    *("Host: a\r\n", "Content-Length: ", "Transfer-Encoding: chunked\r\n", "gzip, chunked"),
    *("Connection: ", "close", "keep-alive", "Expect: 100-continue\r\n", "Content-Type: "),
    *("Cookie: a=b\r\n", "0\r\n\r\n", "5\r\nhello\r\n", ";a=b", ';a="\\"', "\r\n", "\r\n\r\n"),
    *("FFFFFFFFFFFFFFFF", "\r\n ", "\t", "_", "\x80"),
]


def prepare(folder: Path) -> None:
    """Put the words and every short case of the corpus into ``folder``."""
    inputs = folder / "inputs"
    inputs.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        if len(case.octets) <= MAX_OCTETS:
            (inputs / case.id.replace("/", "-")).write_bytes(case.octets)
    escaped = ("".join(f"\\x{octet:02x}" for octet in word.encode("latin-1")) for word in WORDS)
    (folder / "words").write_text("".join(f'"{word}"\n' for word in escaped))


def main() -> None:
    """Fuzz for as many seconds as the command line says; 600 without it."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "build" / "fuzz"
    prepare(folder)
    options = [
        *(f"-max_total_time={seconds}", f"-max_len={MAX_OCTETS}", f"-dict={folder / 'words'}"),
        *(
            f"-artifact_prefix={folder}/",
            "-rss_limit_mb=512",
            "-timeout=10",
            "-print_final_stats=1",
        ),
    ]
    atheris.Setup([sys.argv[0], *options, str(folder / "inputs")], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
