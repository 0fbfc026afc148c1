"""What a killed run leaves is removed by the next, and nothing that is another's."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from wsgi_matrix.engines.process import leftovers
from wsgi_matrix.util import process_owner

from tests.matrix.helpers import gone, wait_until

HERE, BOOT, NAMESPACE = process_owner.owner().split(".")[:3]
SLEEP = ("sleep", "600")


@contextlib.contextmanager
def session(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that leads a session of its own, as those that a run starts do."""
    with subprocess.Popen(command or SLEEP, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def ended() -> str:
    """The owner of a run that has ended: a process that is no longer."""
    with session("true") as process:
        started = process_owner.start_time(process.pid)
        process.wait()
    return f"{HERE}.{BOOT}.{NAMESPACE}.{process.pid}.{started}"


def left(parent: Path, owner: str, *processes: str) -> Path:
    """A folder that a run of ``owner`` left, with lines of its list."""
    folder = parent / f"run-{owner}-abc"
    folder.mkdir()
    (folder / leftovers.LIST).write_text("".join(f"{line}\n" for line in processes))
    return folder


def test_each_run_has_a_folder_that_says_whose_it_is(tmp_path: Path) -> None:
    first, second = leftovers.make_directory(tmp_path), leftovers.make_directory(tmp_path)
    assert first != second
    for folder in (first, second):
        assert folder.name.startswith(f"run-{process_owner.owner()}-")


def test_a_process_is_recorded_with_the_time_of_its_start(tmp_path: Path) -> None:
    with session() as one, session() as other:
        leftovers.record(tmp_path, one.pid)
        leftovers.record(tmp_path, other.pid)
        assert (tmp_path / leftovers.LIST).read_text().splitlines() == [
            f"{each.pid} {process_owner.start_time(each.pid)}" for each in (one, other)
        ]


def test_what_runs_is_left_alone(tmp_path: Path) -> None:
    with session() as process:
        folder = leftovers.make_directory(tmp_path)
        leftovers.record(folder, process.pid)
        assert leftovers.clean(tmp_path) == 0
        assert process.poll() is None
    assert folder.is_dir()


def test_processes_of_a_run_that_is_gone_are_killed_with_their_children(
    tmp_path: Path, ended: str
) -> None:
    script = "sleep 600 & echo $!; wait"
    with subprocess.Popen(
        ["sh", "-c", script], start_new_session=True, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        folder = left(tmp_path, ended, f"{process.pid} {process_owner.start_time(process.pid)}")
        assert leftovers.clean(tmp_path) == 1
        assert process.wait(60) == -signal.SIGKILL
    assert not folder.exists()
    wait_until(lambda: gone(child))


@pytest.mark.parametrize("spoil", ["another start", "another boot", "another machine"])
def test_an_id_alone_proves_nothing(tmp_path: Path, ended: str, spoil: str) -> None:
    """Ids are given again: to a process that began later, after a boot, on another machine."""
    with session() as process:
        started = process_owner.start_time(process.pid)
        owner = ended
        if spoil == "another start":
            started = str(int(started or 0) + 1)
        elif spoil == "another boot":
            owner = owner.replace(BOOT, "0" * len(BOOT))
        else:
            owner = owner.replace(HERE, "0" * len(HERE))
        folder = left(tmp_path, owner, f"{process.pid} {started}")
        # What another machine left in a folder that both can see is its own to remove.
        assert leftovers.clean(tmp_path) == (0 if spoil == "another machine" else 1)
        assert process.poll() is None
    assert folder.exists() is (spoil == "another machine")


def test_a_folder_without_a_list_and_other_files_are_no_hindrance(
    tmp_path: Path, ended: str
) -> None:
    folder = left(tmp_path, ended)
    (folder / leftovers.LIST).unlink()
    (tmp_path / "bundles").mkdir()
    assert leftovers.clean(tmp_path) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["bundles"]
    assert leftovers.clean(tmp_path / "nowhere") == 0
