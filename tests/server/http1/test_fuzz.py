"""A short run of the fuzzing that ``make fuzz`` does for longer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.http1.cases import CASES

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
SECONDS = 20


def test_twenty_seconds_of_fuzzing_find_nothing(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris has no wheel for this Python or platform")
    # Measuring coverage would slow down what measures its own.
    environ = {name: os.environ[name] for name in os.environ if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.http1_requests", str(SECONDS), str(tmp_path)],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        timeout=SECONDS * 10,
        check=False,
    )
    found = "\n".join(path.read_bytes().hex(" ") for path in tmp_path.glob("crash-*"))
    assert done.returncode == 0, f"{done.stderr[-4000:]}\n{found}"
    runs = re.search(r"number_of_executed_units: ([0-9]+)", done.stderr)
    assert runs, done.stderr[-4000:]
    # More than the cases that it starts from: it did fuzz.
    assert int(runs[1]) > len(CASES)
