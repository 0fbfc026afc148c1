"""The command: exit codes, one line for each error of a user, and an end that leaves nothing."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading

import jsonschema
import pytest
from wsgi_matrix.errors import EXIT_CODES
from wsgi_matrix.results import results_json

from tests.matrix.helpers import PLAIN

PROGRAM = (sys.executable, "-m", "wsgi_matrix")
ENV = {k: v for k, v in os.environ.items() if k != "WSGI_MATRIX_REQUIRE_DOCKER"}


@pytest.fixture
def command(tmp_path):
    def run(*words, file=PLAIN, **environ):
        return subprocess.run(
            [*PROGRAM, "--config", file, "--build", tmp_path / "build", *words],
            env={**ENV, **environ},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


ONE = ("run", "--engine", "process", "--apps", "good", "--pythons", "3.11", "--limits", "default")


def test_a_green_run_writes_its_results_and_exits_with_0(command, tmp_path):
    summary = tmp_path / "summary.md"
    done = command(*ONE, CI="1", GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 0, done.stderr
    value = json.loads((tmp_path / "build/matrix/results.json").read_text())
    jsonschema.validate(value, results_json.schema())
    assert value["cells"][0]["outcome"] == "pass"
    assert "NOT containers" in done.stdout
    for name in ("report.html", "junit.xml", "report.md"):
        assert "1 cell: 1 pass" in (tmp_path / "build/matrix" / name).read_text(), name
    assert "1 pass" in (tmp_path / "build/matrix/badge.svg").read_text()
    assert "1 cell: 1 pass" in done.stdout
    assert "\nreport: build/matrix/report.html\n" in done.stdout
    assert "1 cell: 1 pass" in summary.read_text()
    assert "[1/1] plain-good-default-py311 pass" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("run", "--apps", "goood"), 2, '--apps: no "goood" in the matrix; did you mean "good"?'),
        (("list", "--pythons", "2.7"), 2, '--pythons: no "2.7"'),
        (("run", "--select", "nothing-*"), 3, '--select "nothing-*" matches no cell'),
        (("list", "--skip", "*"), 3, "no cell matches the selection"),
    ],
)
def test_a_wrong_selection_is_one_line_and_its_exit_code(command, words, code, text):
    done = command(*words)
    assert done.returncode == code
    assert done.stdout == ""
    assert done.stderr.startswith("wsgi-matrix: ")
    assert text in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_misspelt_key_is_one_line_and_exit_code_2(command, tmp_path):
    file = tmp_path / "matrix.toml"
    file.write_text("[run]\nrepaet = 2\n")
    done = command("list", file=file)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert 'run.repaet: unknown key; did you mean "repeat"?' in done.stderr


def test_no_engine_is_exit_code_4_and_auto_falls_back_plainly(command):
    nowhere = {"DOCKER_HOST": "tcp://127.0.0.1:1"}
    done = command("run", "--engine", "docker", **nowhere)
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert "DOCKER_HOST=tcp://127.0.0.1:1" in done.stderr
    done = command("run", *ONE[3:], **nowhere)
    assert done.returncode == 0
    assert "which are NOT containers" in done.stderr


@pytest.mark.parametrize("engine", ["auto", "docker", "process"])
def test_where_docker_is_required_processes_are_refused(command, engine):
    required = {"DOCKER_HOST": "tcp://127.0.0.1:1", "WSGI_MATRIX_REQUIRE_DOCKER": "1"}
    assert command("run", "--engine", engine, **required).returncode == 4


def test_an_engine_that_is_too_old_is_exit_code_4(command):
    class Old(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = b'{"ApiVersion": "1.30", "Version": "17.06", "Os": "linux"}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Old) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = command(
            "run", "--engine", "docker", DOCKER_HOST=f"tcp://127.0.0.1:{server.server_port}"
        )
        server.shutdown()
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert "1.30" in done.stderr


def test_a_red_cell_is_exit_code_1_and_one_that_did_not_start_5(command):
    limits = ("--pythons", "3.11", "--limits", "default", "--engine", "process")
    assert command("run", "--apps", "good,other,extra", *limits).returncode == 1
    done = command("run", "--apps", "missing", *limits)
    assert done.returncode == 5
    assert "nowhere_to_be_found" in done.stdout


def test_a_folder_that_cannot_be_written_is_one_line_and_no_result(command, tmp_path):
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "matrix").write_text("a file, not a folder")
    done = command(*ONE)
    assert done.returncode == 5
    assert "Traceback" not in done.stderr
    assert "build/matrix" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_a_partial_report_and_no_process(tmp_path, number):
    words = ("run", "--engine", "process", "--apps", "good,hangs", "--pythons", "3.11")
    words = (*words, "--jobs", "1")
    process = subprocess.Popen(
        [*PROGRAM, "--config", PLAIN, "--build", tmp_path / "build", *words],
        env={**ENV, "CI": "1"},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            for line in process.stderr:
                if "[2/4]" in line:  # the third, a hanging one, has its turn
                    break
            process.send_signal(number)
            process.wait(300)
        finally:
            process.kill()
    assert process.returncode == 130
    value = json.loads((tmp_path / "build/matrix/results.json").read_text())
    jsonschema.validate(value, results_json.schema())
    assert value["run"]["partial"] is True
    assert [cell["id"] for cell in value["cells"]] == [
        "plain-good-default-py311",
        "plain-good-fds64-py311",
    ]
    assert list((tmp_path / "build/matrix").glob("run-*")) == []


def test_an_interrupt_while_it_is_imported_is_one_line(tmp_path):
    (tmp_path / "click.py").write_text("import os\nos.kill(os.getpid(), 2)\n")
    environ = {**ENV, "PYTHONPATH": str(tmp_path)}
    command = [*PROGRAM, "list"]
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=60, check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (130, "wsgi-matrix: interrupted\n")


def test_help_documents_every_exit_code(command):
    for words in (("--help",), ("run", "--help")):
        text = " ".join(command(*words).stdout.split())
        for code, meaning in EXIT_CODES.items():
            assert f"{int(code)} {meaning}" in text
