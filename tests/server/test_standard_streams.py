"""``onegate.process.standard_streams``: closed descriptors 0 to 2, and output nobody reads."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.helpers import DEADLINE, wait_for, write_app
from tests.server.ports import free_port, get
from tests.server.processes import children

TELLS = """
import os, sys

def app(environ, start_response):
    print("printed")
    sys.stderr.write("printed")
    environ["wsgi.errors"].write("printed")
    start_response("200 OK", [])
    return [" ".join([os.readlink(f"/proc/self/fd/{n}") for n in range(3)]
            + [str(bool(sys.stdin and not sys.stdin.read()))]).encode()]
"""


@pytest.mark.parametrize("options", [(), ("--preload", "--access-log", "%(s)s")])
@pytest.mark.parametrize("closed", ["0<&-", ">&-", "2>&-", "0<&- >&- 2>&-"])
def test_closed_descriptors(tmp_path: Path, closed: str, options: tuple[str, ...]) -> None:
    write_app(tmp_path, TELLS)
    port = free_port()
    command = [sys.executable, "-m", "onegate", "served:app", "--bind", f"127.0.0.1:{port}"]
    errors = ("--error-logfile", "errors") if "2>&-" in closed else ()
    process = subprocess.Popen(
        ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *command, *options, *errors],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:

        def answered() -> str:
            assert process.poll() is None, "it ended"
            try:
                return get(port)
            except ConnectionRefusedError:
                return ""

        found: list[str] = []
        wait_for(lambda: found.append(answered()) or found[-1], "an answer")  # type: ignore[func-returns-value]
        *paths, read = found[-1].split()
        for number, path in enumerate(paths):
            is_null = number == 0 or (">&-", "2>&-")[number - 1] in closed.split()
            assert path == os.devnull if is_null else path.startswith("pipe:")
        assert read == "True"
        process.terminate()
        assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.communicate(timeout=DEADLINE)


@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "--version",
        "served:app --print-config",
        "served:app --check-config",
        "--from-gunicorn gunicorn.conf.py",
        "--from-uwsgi uwsgi.ini",
    ],
)
def test_what_nobody_reads_is_a_quiet_end(tmp_path: Path, words: str) -> None:
    write_app(tmp_path, "def app(*_): ...")
    (tmp_path / "gunicorn.conf.py").write_text("workers = 2")
    (tmp_path / "uwsgi.ini").write_text("[uwsgi]\nworkers = 2")
    read, write = os.pipe()
    os.close(read)
    for output, status, told in (
        (write, 141, ""),
        (None, 2, "onegate: cannot write to standard output: No space"),
    ):
        target = output if output is not None else os.open("/dev/full", os.O_WRONLY)
        ended = subprocess.run(
            [sys.executable, "-m", "onegate", *words.split()],
            cwd=tmp_path,
            stdout=target,
            stderr=subprocess.PIPE,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        os.close(target)
        assert ended.returncode == status
        assert ended.stderr.startswith(told)
        assert ended.stderr.count("\n") == bool(told)


def test_a_complaint_that_nobody_reads_keeps_its_status(tmp_path: Path) -> None:
    for words in (["--wrong"], ["m:a", "--config", "gone"]):
        read, write = os.pipe()
        os.close(read)
        ended = subprocess.run(
            [sys.executable, "-m", "onegate", *words],
            cwd=tmp_path,
            stderr=write,
            timeout=DEADLINE,
            check=False,
        )
        os.close(write)
        assert ended.returncode == 2


def test_help_in_any_encoding() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "onegate", "--help"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


# ── output of hooks and of the application ────────────────────────────────────────────────────────

PRINTS = """
import os, signal, sys

def app(environ, start_response):
    print("view", environ["PATH_INFO"])
    print("partial", end="", file=sys.stderr)
    if environ["PATH_INFO"] == "/kill":
        os.kill(os.getpid(), signal.SIGKILL)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
HOOKS = """
def on_starting(server): print("starting" * 2000)
def pre_fork(server, worker): print("pre_fork")
def post_fork(server, worker): print("post_fork", flush=True)
def post_worker_init(worker): print("post_worker_init")
def on_exit(server): print("on_exit")
"""


@pytest.mark.parametrize("where", ["/dev/full", "a pipe that nobody reads"])
def test_output_is_never_a_reason_to_end(tmp_path: Path, where: str) -> None:
    write_app(tmp_path, PRINTS)
    (tmp_path / "hooks.py").write_text(HOOKS)
    if where == "/dev/full":
        out = os.open(where, os.O_WRONLY)
    else:
        read, out = os.pipe()
        os.close(read)
    port = free_port()
    command = [sys.executable, "-m", "onegate", "served:app", "--bind", f"127.0.0.1:{port}"]
    with (tmp_path / "errors").open("w") as errors:
        process = subprocess.Popen(
            [*command, "--hooks", "hooks.py"], cwd=tmp_path, stdout=out, stderr=errors
        )
    os.close(out)
    try:
        for _ in range(2):

            def answered() -> bool:
                assert process.poll() is None, (tmp_path / "errors").read_text()
                try:
                    return get(port) == "ok"
                except OSError:
                    return False

            wait_for(answered, "an answer")
            for pid in children(process.pid):
                os.kill(pid, signal.SIGKILL)
        process.terminate()
        assert process.wait(DEADLINE) == 0
        assert "Traceback" not in (tmp_path / "errors").read_text()
    finally:
        process.kill()


@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["plain", "preload"])
def test_a_line_that_is_printed_is_written_at_once_and_only_once(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    """Not to be lost with a worker that is killed."""
    write_app(tmp_path, PRINTS)
    (tmp_path / "hooks.py").write_text(HOOKS.replace('"starting" * 2000', '"starting", end=" "'))
    port = free_port()
    command = [sys.executable, "-m", "onegate", "served:app", "--bind", f"127.0.0.1:{port}"]
    environ = {name: os.environ[name] for name in os.environ if name != "PYTHONUNBUFFERED"}
    with (tmp_path / "out").open("w") as out, (tmp_path / "errors").open("w") as errors:
        process = subprocess.Popen(
            [*command, "--hooks", "hooks.py", *options],
            cwd=tmp_path,
            env=environ,
            stdout=out,
            stderr=errors,
        )

    def printed(what: str) -> int:
        return (tmp_path / "out").read_text().count(what)

    try:
        wait_for(lambda: printed("post_worker_init"), "a worker")
        assert get(port) == "ok"
        assert printed("view /\n") == 1
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET /kill HTTP/1.1\r\nHost: a\r\n\r\n")
            client.settimeout(DEADLINE)
            client.recv(1)
        assert printed("view /kill\n") == 1
        assert printed("starting") == 1
        process.terminate()
        assert process.wait(DEADLINE) == 0
        assert printed("on_exit") == 1
    finally:
        process.kill()
