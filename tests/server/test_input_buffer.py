"""``onegate.worker.input_buffer``: content in memory, then on disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from onegate.http1 import ProtocolError
from onegate.worker.input_buffer import InputBuffer


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("parts", [[], [b""], [b"abc"], [b"ab", b"cdefgh", b"i"], [b"123456789"]])
@pytest.mark.parametrize("spool", ["disk", None])
def test_content_is_what_was_added(parts: list[bytes], spool: str | None, tmp_path: Path) -> None:
    body = InputBuffer(4 if spool else 9, str(tmp_path) if spool else None)
    for part in parts:
        body.add(part)
    content = b"".join(parts)
    file = body.finish()
    assert (file.read(), body.length) == (content, len(content))
    assert file.read() == b""
    body.close()


@pytest.mark.parametrize(("count", "more"), [(4, 0), (5, 1)])
def test_disk_is_used_past_the_bound_only(count: int, more: int, tmp_path: Path) -> None:
    before = open_files()
    body = InputBuffer(4, str(tmp_path))
    body.add(b"x" * count)
    assert open_files() - before == more
    assert list(tmp_path.iterdir()) == []  # it has no name that somebody could find
    body.close()
    assert open_files() == before


def test_without_a_disk_413() -> None:
    body = InputBuffer(4, None)
    body.add(b"1234")
    with pytest.raises(ProtocolError) as caught:
        body.add(b"5")
    assert caught.value.status == 413


def test_spool_directory_that_is_gone_507(tmp_path: Path) -> None:
    body = InputBuffer(4, str(tmp_path / "gone"))
    with pytest.raises(ProtocolError) as caught:
        body.add(b"12345")
    assert caught.value.status == 507
    body.close()


FULL = """
import os, resource, signal, sys
from onegate.worker.input_buffer import InputBuffer
from onegate.http1 import ProtocolError

# No file may grow beyond 10 octets: what a full disk refuses, this refuses in the same way.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
before = len(os.listdir("/proc/self/fd"))
body = InputBuffer(4, sys.argv[1])
try:
    body.add(b"x" * int(sys.argv[2]))
    body.finish()
except ProtocolError as error:
    print(error.status, end=" ")
body.close()
print(len(os.listdir("/proc/self/fd")) - before)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))  # for what coverage writes at the end
"""


@pytest.mark.parametrize("size", [11, 100_000])
def test_full_disk_507_at_the_latest_when_it_is_finished(size: int, tmp_path: Path) -> None:
    """A small content sits in the file's buffer until the end. In a process of its own, for the
    limit holds for all that a process writes."""
    command = [sys.executable, "-c", FULL, str(tmp_path), str(size)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (told.stdout, told.stderr) == ("507 0\n", "")
