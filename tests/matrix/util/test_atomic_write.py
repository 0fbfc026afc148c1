"""Errors about files that cannot be made. Nobody makes one in /proc, not even root."""

from __future__ import annotations

from pathlib import Path

import pytest
from wsgi_matrix.cli import run_directories
from wsgi_matrix.engines.process import leftovers
from wsgi_matrix.util.atomic_write import write_whole


def test_an_error_names_the_file_and_not_the_temporary_one():
    with pytest.raises(OSError, match="No such file") as refused:
        write_whole(Path("/proc/report.html"), "")
    assert refused.value.filename == "/proc/report.html"


@pytest.mark.parametrize(
    "make", [leftovers.make_directory, lambda parent: run_directories.fresh(parent, Path("app"))]
)
def test_an_error_names_the_directory_and_not_a_new_one_in_it(make, monkeypatch):
    monkeypatch.setattr(run_directories, "_place", lambda build, source: build)
    with pytest.raises(OSError, match="No such file") as refused:
        make(Path("/proc"))
    assert refused.value.filename == "/proc"
