"""The process engine: limits that bite, honest skips, and nothing left running."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from wsgi_matrix.config import plan
from wsgi_matrix.engines.process import engine as process
from wsgi_matrix.engines.process import launch, leftovers
from wsgi_matrix.engines.process.engine import ProcessEngine, source_digest
from wsgi_matrix.errors import CellError
from wsgi_matrix.model.results import Outcome
from wsgi_matrix.packaging import interpreters
from wsgi_matrix.probe.protocol import Job
from wsgi_matrix.util import process_owner

from tests.matrix.helpers import gone, wait_until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="uids of their own need root")


@pytest.fixture
def cell(plain):
    def cell(name="plain-good-fds64-py311"):
        [found] = plan.make_cells(plain, plan.Selection(select=(name,)))
        return found

    return cell


def test_limits_are_read_back_and_what_cannot_be_set_has_its_reason(process_engine, cell):
    with process_engine.open(cell()) as running:
        observed = running.observed()
    assert observed.nofile == 64
    assert observed.memory is None
    assert "cgroup" in observed.why_not["memory"]
    if os.geteuid() == 0:
        assert observed.nproc == 32
    else:
        assert "uid" in observed.why_not["nproc"]


def test_a_limit_that_nothing_can_set_is_a_skip_not_a_pass(process_engine, run_cells, check):
    run = run_cells(process_engine, apps=("good",), limits=("fds64",))
    found = check(run, "plain-good-fds64-py311", "limits-applied")
    assert found.outcome is Outcome.SKIP
    assert "cgroup" in found.detail
    assert check(run, "plain-good-fds64-py311", "unchanged").outcome is Outcome.SKIP


def test_cells_of_one_engine_have_different_uids(process_engine):
    uids = [process_engine.uid() for _ in range(10)]
    assert len(set(uids)) == (10 if os.geteuid() == 0 else 1)


def test_a_server_that_cannot_be_executed_is_an_error(process_engine, cell):
    server = replace(cell().server, process=("/nowhere/python",))
    with (
        pytest.raises(CellError, match="could not be started: FileNotFoundError"),
        process_engine.open(replace(cell(), server=server)),
    ):
        pass


def test_a_command_that_came_with_the_requirements_of_a_server_is_found(
    process_engine, cell, monkeypatch, tmp_path
):
    script = tmp_path / "lib" / "bin" / "plain"
    script.parent.mkdir(parents=True)
    script.write_text("import runpy; runpy.run_module('plainserver', run_name='__main__')\n")
    monkeypatch.setattr(process.server_dependencies, "ensure_folder", lambda *_: tmp_path)
    server = replace(cell().server, process=("{python}", "{lib}/bin/plain"))
    with process_engine.open(replace(cell(), server=server)) as running:
        words = Path(f"/proc/{running.launch.pid}/cmdline").read_text().split("\0")
    assert str(script) in words


def test_nothing_is_sent_before_the_log_has_the_ready_sign(process_engine, cell):
    server = replace(cell().server, ready_log="^never said$")
    with (
        process_engine.open(replace(cell(), server=server)) as running,
        pytest.raises(CellError, match="did not match"),
    ):
        running.probe(Job(deadline=0.3))


def test_a_ready_sign_is_looked_for_once(process_engine, cell):
    server = replace(cell().server, ready_log="^up$")
    with process_engine.open(replace(cell(), server=server)) as running:
        running.log_file.write_text("up\n")
        running.probe(Job(deadline=30))
        running.log_file.write_text("much else\n")
        assert running.probe(Job(deadline=0.5)).exchanges == []


def test_a_launcher_that_ends_before_it_speaks_is_an_error(process_engine, cell, monkeypatch):
    monkeypatch.setattr(launch.sys, "executable", "/bin/true")
    with (
        pytest.raises(CellError, match="launcher exited before"),
        process_engine.open(cell()),
    ):
        pass


def test_a_cell_keeps_the_folder_though_the_last_other_one_is_closed_meanwhile(
    process_engine, cell, monkeypatch
):
    """A cell has its folder before it has its uid: there, another is closed."""
    other = contextlib.ExitStack()
    other.enter_context(process_engine.open(cell()))
    closing = threading.Thread(target=other.close)
    number = process_engine.uid()

    def uid():
        closing.start()
        closing.join(0.5)  # longer than it takes; a closing that has to wait for us goes on later
        return number

    monkeypatch.setattr(process_engine, "uid", uid)
    with process_engine.open(cell()) as running:
        closing.join()
        assert (running.folder / "processes").is_file()
    assert not running.folder.exists()


def test_a_port_in_use_is_the_servers_error_with_its_own_words(process_engine, run_cells, cell):
    """The port is taken by a listener: the probe must not take its answers for the server's."""
    args = tuple(word.replace("127.0.0.1:{port}", "%s") for word in cell().server.args)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        where = f"127.0.0.1:{listener.getsockname()[1]}"
        server = replace(cell().server, args=tuple(word.replace("%s", where) for word in args))
        run = run_cells(process_engine, cells=[replace(cell(), server=server)])
    [result] = run.cells
    assert result.outcome is Outcome.ERROR
    assert "exit status 1" in result.checks[0].detail
    assert "Address already in use" in result.checks[0].detail


def test_a_missing_python_is_a_skip_with_the_reason(process_engine, run_cells, cell):
    old = replace(cell(), python=replace(cell().python, version="3.99"))
    run = run_cells(process_engine, cells=[old])
    assert run.cells[0].outcome is Outcome.SKIP
    assert "no working python3.99" in run.cells[0].checks[0].detail


def test_a_broken_shim_on_the_path_is_passed_over(tmp_path, monkeypatch):
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    shim = tmp_path / f"python{version}"
    shim.write_text("#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(sys, "_base_executable", str(shim))
    interpreters.find.cache_clear()
    try:
        found = interpreters.find(version)
    finally:
        interpreters.find.cache_clear()
    if found is None:
        pytest.skip("there is no other Python of this version here")
    assert found[0] != shim


def test_the_digest_is_of_the_servers_files_and_of_nothing_else(plain, tmp_path):
    server = plain.servers["plain"]
    copies = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        for file in server.process_path[0].glob("*.py"):
            (folder / file.name).write_bytes(file.read_bytes())
        copies.append(replace(server, process_path=(folder,)))
    assert source_digest(copies[0]) == source_digest(copies[1])
    (tmp_path / "b" / "__pycache__").mkdir()
    (tmp_path / "b" / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert source_digest(copies[0]) == source_digest(copies[1])
    (tmp_path / "b" / "new.py").touch()
    assert source_digest(copies[0]) != source_digest(copies[1])


def inside(engine, cell, code):
    """What a Python in place of the server of ``cell`` prints, as JSON."""
    status, said = engine.check(cell, ["{python}", "-c", "import json, os\n" + code])
    assert status == 0, said
    return json.loads(said)


def test_a_cell_has_a_home_and_a_place_for_temporary_files_of_its_own(process_engine, plain, cell):
    code = """
import pathlib, tempfile
places = [pathlib.Path.home(), pathlib.Path(tempfile.gettempdir())]
for place in places:
    (place / "mine").touch()
print(json.dumps([str(place) for place in places]))
"""
    places = inside(process_engine, cell(), code)
    assert len(set(places)) == 2
    for place in places:
        assert place.startswith(f"{plain.build}/matrix/run-")
        assert not Path(place).exists()


def test_a_cell_does_not_see_what_the_machines_python_has(
    process_engine, cell, tmp_path, monkeypatch
):
    python, version = interpreters.find("3.11")
    machine = tmp_path / "machine"
    subprocess.run([python, "-m", "venv", "--without-pip", machine], check=True)
    (machine / "lib/python3.11/site-packages/planted.py").touch()
    monkeypatch.setattr(interpreters, "find", lambda _: (machine / "bin" / "python", version))
    code = "import importlib.util\nprint(json.dumps(bool(importlib.util.find_spec('planted'))))"
    found = subprocess.run(
        [machine / "bin" / "python", "-c", "import json\n" + code],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(found.stdout) is True
    assert inside(process_engine, cell(), code) is False


@needs_root
def test_files_of_a_cell_can_be_read_by_what_access_says_too(plain, cell, tmp_path, monkeypatch):
    """Below a home of mode 0700 they cannot, whatever capabilities let them be opened."""
    closed, shared = tmp_path / "home", tmp_path / "var" / "cache"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(process, "SHARED", shared)
    code = """
import app
print(json.dumps([os.access(app.__file__, os.R_OK), os.access(os.environ["HOME"], os.W_OK)]))
"""
    engine = ProcessEngine(closed / "build")
    assert inside(engine, cell(), code) == [True, True]
    assert engine.place == shared
    assert "os.access" not in engine.where
    assert oct(shared.stat().st_mode & 0o777) == "0o711"


@needs_root
def test_where_there_is_no_such_place_it_is_said(tmp_path, monkeypatch):
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(process, "SHARED", Path("/proc/wsgi-matrix"))
    engine = ProcessEngine(closed / "build")
    assert engine.place == closed / "build"
    assert "os.access() fails" in engine.where


KILLED = """
import os, signal, sys
from pathlib import Path
from wsgi_matrix.config import matrix_toml, plan
from wsgi_matrix.engines.process.engine import ProcessEngine
matrix = matrix_toml.load(Path(sys.argv[1]), Path(sys.argv[2]))
[cell] = plan.make_cells(matrix, plan.Selection(select=("plain-good-default-py311",)))
with ProcessEngine(matrix.build).open(cell) as running:
    if sys.argv[3:] == ["launcher"]:
        os.kill(running.launch.launcher.pid, signal.SIGSTOP)
    print(running.launch.pid, running.launch.launcher.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_kill_9_of_the_run_takes_its_servers_along(plain):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, plain.file, plain.build],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    for pid in done.stdout.split():
        wait_until(lambda pid=int(pid): gone(pid))


def test_what_a_killed_run_leaves_is_removed_by_the_next(plain):
    """Its launcher cannot act (it is stopped), so that the server really is left behind."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, plain.file, plain.build, "launcher"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    server, launcher = (int(pid) for pid in done.stdout.split())
    folders = list((plain.build / "matrix").glob("run-*"))
    assert not gone(server)
    assert len(folders) == 1
    assert ProcessEngine(plain.build).clean() == 1
    wait_until(lambda: gone(server) and gone(launcher))
    assert not folders[0].exists()


def test_cleaning_spares_the_living_and_ids_that_are_used_again(process_engine, plain, cell):
    with process_engine.open(cell()) as running:
        assert ProcessEngine(plain.build).clean() == 0
        assert not gone(running.launch.pid)
    here = process_owner.owner().rsplit(".", 2)[0]
    stale = plain.build / "matrix" / f"run-{here}.1.0-x"  # process 1 lives, but did not start at 0
    stale.mkdir(parents=True)
    (stale / leftovers.LIST).write_text(f"{os.getpid()} 0\n")
    assert ProcessEngine(plain.build).clean() == 1  # and we are still here
    assert not stale.exists()


def test_cleaning_after_a_power_cut_kills_nobody(plain):
    """What another boot left is removed, and its process ids are somebody else's by now."""
    machine, _, rest = process_owner.owner().split(".", 2)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        stale = plain.build / "matrix" / f"run-{machine}.earlier.{rest}-x"
        stale.mkdir(parents=True)
        (stale / leftovers.LIST).write_text(f"{other.pid} {process_owner.start_time(other.pid)}\n")
        assert ProcessEngine(plain.build).clean() == 1
        assert not stale.exists()
        other.communicate(b"\n")
    assert other.returncode == 0


def test_nothing_is_left_after_a_cell(process_engine, plain, cell):
    with process_engine.open(cell()) as running:
        pids = [running.launch.pid, running.launch.launcher.pid]
        assert Path(f"/proc/{running.launch.pid}").exists()
    assert all(gone(pid) for pid in pids)
    assert list((plain.build / "matrix").glob("run-*")) == []
