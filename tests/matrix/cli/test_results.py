"""What can be asked of a run after it ended, and the options of `run` that change how it goes."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from wsgi_matrix.model.results import CaseResult, Level, Outcome
from wsgi_matrix.reports import registry, show
from wsgi_matrix.results import diff, results_json

from tests.matrix.helpers import HERE, PLAIN

PROGRAM = (sys.executable, "-m", "wsgi_matrix")
ENV = {k: v for k, v in os.environ.items() if k != "WSGI_MATRIX_REQUIRE_DOCKER"}
ENGINE = ("--engine", "process", "--pythons", "3.11", "--limits", "default")
GOOD = "plain-good-default-py311"
EXTRA = "plain-extra-default-py311"


@pytest.fixture
def command(tmp_path):
    def run(*words, build="build", **environ):
        head = [*PROGRAM, "--config", PLAIN, "--build", tmp_path / build]
        return subprocess.run(
            [*head, *words],
            env={**ENV, **environ},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def one_run(tmp_path_factory):
    """A folder `build` after a run with one green and one red cell."""
    build = tmp_path_factory.mktemp("ran") / "build"
    head = [*PROGRAM, "--config", PLAIN, "--build", build]
    words = ("run", *ENGINE, "--apps", "good,extra")
    done = subprocess.run(
        [*head, *words], env=ENV, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 1, done.stderr
    return build


@pytest.fixture
def ran(one_run, tmp_path):
    """The results.json of such a run, this test's own."""
    shutil.copytree(one_run, tmp_path / "build")
    return tmp_path / "build/matrix/results.json"


def cells(file):
    return {cell["id"]: cell for cell in json.loads(file.read_text())["cells"]}


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("cells", GOOD),
        ("cases", "hello hello-response MUST GET /hello returns 200, text/plain"),
        ("servers", "plain 3.11 3.13"),
        ("apps", "good app:app in "),
        ("limits", "fds64 nofile=64 nproc=32 memory=128MiB clients=100"),
        ("pythons", "3.13 python:3.13-slim debian:trixie"),
        ("suites", "hello 28 cells, 9 checks each"),
    ],
)
def test_list_shows_what_there_is(command, kind, line):
    done = command("list", kind)
    assert (done.returncode, done.stderr) == (0, "")
    assert any(each.startswith(line) for each in done.stdout.splitlines()), done.stdout


def test_show_prints_the_octets_with_their_line_ends(command, ran):
    done = command("show", GOOD, "hello-response")
    assert done.returncode == 0
    assert "> GET /hello HTTP/1.1␍␊" in done.stdout
    assert "< Hello, World!␊" in done.stdout
    assert "framework" not in done.stdout
    assert re.search(r"^host meanwhile: load [0-9.]+ on \d+ cores", done.stdout, re.MULTILINE)
    assert "X-Extra: 1" in command("show", EXTRA).stdout


def test_what_was_read_is_told_where_nobody_named_it(command, ran):
    """On stderr: a report goes into a file or a pipe."""
    started = json.loads(ran.read_text())["run"]["started"]
    told = f"wsgi-matrix: showing the last run, started {started}: {ran}\n"
    for words in (("show", GOOD), ("report", "--format", "json")):
        done = command(*words)
        assert (done.returncode, done.stderr) == (0, told)
        assert "the last run" not in done.stdout
    assert json.loads(done.stdout)
    named = command("show", GOOD, "--results", ran), command("report", ran)
    assert [each.stderr for each in named] == ["", ""]
    assert command("show", "x").stderr.endswith(f"({told.partition(': ')[2].rstrip()})\n")


def test_no_control_character_of_an_answer_reaches_the_terminal(result_of, run_of):
    raw = b"HTTP/1.1 200 OK\r\nX: \x1b[31m\x07\x9b\r\nContent-Length: 0\r\n\r\n"
    value = results_json.results(run_of(result_of(response=raw)))
    text = show.render(value["cells"][0])
    assert "X: ␛[31m\\x07\\x9b␍␊" in text
    assert not set(text) & set("\x1b\x07\x9b\r")


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("show", "plain-god-default-py311"), 2, f'did you mean "{GOOD}"?'),
        (("show", GOOD, "helo-response"), 2, 'did you mean "hello-response"?'),
        (("show", GOOD, "--results", "none.json"), 2, "none.json: no such file"),
        (("report", "none.json"), 2, "none.json: no such file"),
        (("report", "--format", "htlm"), 2, '--format: no "htlm"'),
        (("report", "--format", "json,markdown"), 2, "--output"),
        (("compare", "none.json", "none.json"), 2, "none.json: no such file"),
    ],
)
def test_bad_input_is_one_line(command, ran, words, code, text):
    done = command(*words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1)
    assert text in done.stderr


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": "wsgi-matrix/results/1"}'])
def test_what_is_no_result_file_is_said_to_be_none(command, tmp_path, text):
    file = tmp_path / "odd.json"
    file.write_text(text)
    done = command("report", "odd.json")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "odd.json: " in done.stderr


def test_compare_is_green_for_the_same_and_red_for_another_answer(command, ran, tmp_path):
    first = ran.read_text()
    (tmp_path / "a.json").write_text(first)
    assert command("run", *ENGINE, "--apps", "good,extra").returncode == 1
    done = command("compare", "a.json", str(ran))
    assert done.returncode == 0, done.stdout
    assert "verdicts: no change" in done.stdout
    assert "median of the 2 cells in both" in done.stdout
    (tmp_path / "b.json").write_text(first.replace(GOOD, "x").replace(EXTRA, GOOD))
    done = command("compare", "a.json", "b.json")
    assert done.returncode == 1
    assert f"{GOOD} identical: pass → fail" in done.stdout
    assert f"- {EXTRA}: removed" in done.stdout
    assert "X-Extra: 1" in done.stdout.partition("responses:")[2]


def test_the_date_alone_is_no_change(result_of, run_of):
    later = result_of().exchanges["hello"].response.replace(b"16:00:00", b"17:00:00")
    values = [
        results_json.results(run_of(each)) for each in (result_of(), result_of(response=later))
    ]
    assert not diff.find(*values)
    values[1]["cells"][0]["framework_version"] = "2"
    found = diff.find(*values)
    assert not found
    assert found.versions == ["framework of flask: 1 → 2 (in 1 cells)"]


def test_a_rule_is_the_same_one_under_its_id_and_under_its_alias(result_of, run_of):
    """Results from before there were ids have the aliases."""

    def value(outcome, **names):
        result = result_of()
        rule = CaseResult(level=Level.MUST, outcome=outcome, **names)
        return results_json.results(run_of(replace(result, checks=(*result.checks, rule))))

    old = value(Outcome.PASS, id="R50")
    new = {"id": "chunked/size-not-hex", "alias": "R50"}
    assert not diff.find(old, value(Outcome.PASS, **new))
    [line] = diff.find(old, value(Outcome.FAIL, **new)).verdicts
    assert line.endswith("chunked/size-not-hex: pass → fail")


def test_report_writes_every_format_that_there_is(command, ran, tmp_path):
    names = ",".join(registry.REPORTS)
    done = command("report", ran, "--format", names, "--output", "out")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    there = {file.name for file in (tmp_path / "out").iterdir()}
    assert there == {each.file for each in registry.reports()}
    assert {"results.json", "report.html", "junit.xml", "report.md", "badge.svg"} <= there
    assert "2 cells: 1 pass, 1 fail" in (tmp_path / "out/report.md").read_text()
    assert (tmp_path / "out/results.json").read_text() == ran.read_text()
    assert command("report").stdout == (tmp_path / "out/report.md").read_text()


def test_exitfirst_begins_no_cell_after_a_red_one(command, tmp_path):
    done = command("run", *ENGINE, "--apps", "missing,notcallable", "--jobs", "1", "-x")
    assert done.returncode == 5
    run = json.loads((tmp_path / "build/matrix/results.json").read_text())["run"]
    assert run["partial_reason"] == "stopped at the first red cell"
    assert "PARTIAL (stopped at the first red cell): 1 cell: 1 error" in done.stdout
    assert "notcallable" not in done.stdout


def test_exitfirst_at_the_last_cell_leaves_a_whole_run(command):
    done = command("run", *ENGINE, "--apps", "good,missing", "--jobs", "1", "-x")
    assert done.returncode == 5
    assert "PARTIAL" not in done.stdout


@pytest.mark.parametrize(("keep", "kept"), [("failed", {EXTRA}), ("all", {EXTRA, GOOD})])
def test_what_is_kept_can_be_looked_at_until_clean(command, tmp_path, keep, kept):
    assert command("run", *ENGINE, "--apps", "good,extra", "--keep", keep).returncode == 1
    folders = tmp_path / "build/matrix/kept"
    assert {folder.name for folder in folders.iterdir()} == kept
    assert (folders / EXTRA / "probe.jsonl").read_text()
    assert str(folders / EXTRA) in command("show", EXTRA).stdout
    assert command("clean", "--engine", "process").stdout == f"leftovers removed: {len(kept)}\n"
    assert list(folders.iterdir()) == []


def test_nothing_is_kept_unless_it_is_asked_for(ran):
    assert not (ran.parent / "kept").exists()
    assert all(cell["kept"] == [] for cell in cells(ran).values())


def test_an_unchanged_cell_is_reused_only_on_request_and_marked(command, ran, tmp_path):
    words = ("run", *ENGINE, "--apps", "good,extra")
    command(*words)
    first = cells(ran)
    assert {cell["reused"] for cell in first.values()} == {""}
    done = command(*words, "--reuse")
    assert done.returncode == 1  # red as it was, and the comparison is made anew
    again = cells(ran)
    assert all(cell["reused"] for cell in again.values())
    assert again[EXTRA]["checks"] == first[EXTRA]["checks"]
    assert "(2 reused from an earlier run)" in done.stdout
    assert "pass" in done.stderr
    assert ", reused" in done.stderr


def test_a_changed_cell_is_not_reused(command, tmp_path):
    file = tmp_path / "matrix.toml"
    text = (PLAIN).read_text()
    for name in ("plainserver", "apps"):
        (tmp_path / name).symlink_to(HERE / name)
    words = ("--config", "matrix.toml", "run", *ENGINE, "--apps", "good,extra", "--reuse")

    def reused():
        done = subprocess.run(
            [*PROGRAM, *words], cwd=tmp_path, env=ENV, capture_output=True, timeout=300, check=False
        )
        assert done.returncode == 1, done.stderr
        return [bool(x["reused"]) for x in cells(tmp_path / "build/matrix/results.json").values()]

    file.write_text(text)
    assert reused() == [False, False]
    assert reused() == [True, True]
    file.write_text(text.replace("clients = 16", "clients = 17"))
    assert reused() == [False, False]
    (tmp_path / "apps").unlink()
    (tmp_path / "apps").mkdir()
    for app in (HERE / "apps").iterdir():
        (tmp_path / "apps" / app.name).mkdir()
        for source in app.glob("*.*"):
            end = "# changed\n" if app.name == "good" and source.suffix == ".py" else ""
            (tmp_path / "apps" / app.name / source.name).write_text(source.read_text() + end)
    assert reused() == [False, True]


def test_a_cell_that_could_not_be_judged_is_not_reused(command, tmp_path):
    words = ("run", *ENGINE, "--apps", "missing", "--reuse")
    assert command(*words).returncode == command(*words).returncode == 5
    (cell,) = cells(tmp_path / "build/matrix/results.json").values()
    assert cell["reused"] == ""


def test_a_dry_run_starts_nothing(command, tmp_path):
    done = command("run", *ENGINE, "--apps", "good,extra", "--dry-run")
    assert done.returncode == 0
    assert done.stdout.splitlines()[1:] == [f"{x} 9 checks of hello" for x in (GOOD, EXTRA)]
    assert not (tmp_path / "build").exists()


def test_a_closed_pipe_ends_quietly(command, tmp_path, ran):
    head = f"{sys.executable} -m wsgi_matrix --config {PLAIN} --build build"
    for words, code in (
        ("list", 141),
        (f"show {EXTRA}", 141),
        ("report", 141),
        (f"run {' '.join(ENGINE)} --apps good", 0),
    ):
        # `read` of nothing: the pipe has no reader before the command writes.
        script = f"exec 3>&1; ({head} {words}; echo $? >&3) | exec true"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=tmp_path,
            env={**ENV, "CI": "1"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.stdout == f"{code}\n", words
        assert "ipe" not in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "there"),
    [
        ("list --apps go", ["good"]),
        ("list --apps good,ex", ["good,extra"]),
        ("run --servers ", ["plain", "all"]),
        ("run --select plain-good-f", ["plain-good-fds64-py311", "plain-good-fds64-py313"]),
        ("list --suite sl", ["slow_clients"]),
        ("show plain-e", [EXTRA]),
        ("doctor --engine pro", ["process"]),
    ],
)
def test_the_shell_completes_from_the_matrix(command, ran, tmp_path, words, there):
    whole = f"wsgi-matrix --config {PLAIN} --build {tmp_path / 'build'} {words}"
    count = len(whole.split(" ")) - 1
    done = command(COMP_WORDS=whole, COMP_CWORD=str(count), _WSGI_MATRIX_COMPLETE="bash_complete")
    assert [line.partition(",")[2] for line in done.stdout.splitlines()] == there


def on_a_terminal(tmp_path, *words, rows=24, until="", **environ):
    """What a run writes on a terminal of its own; interrupted once it has written ``until``."""
    environ = {k: v for k, v in {**ENV, **environ}.items() if k not in ("CI", "NO_COLOR")}
    leader, follower = pty.openpty()
    head = [*PROGRAM, "--config", PLAIN, "--build", tmp_path / "build"]
    environ |= {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": str(rows)}
    process = subprocess.Popen(
        [*head, *words], stderr=follower, stdout=subprocess.DEVNULL, env=environ
    )
    os.close(follower)
    written = b""
    try:
        while part := os.read(leader, 65536):
            written += part
            if until and until.encode() in written:
                process.send_signal(signal.SIGINT)
                until = ""
    except OSError:
        pass  # EIO: the last holder of the other end is gone
    finally:
        os.close(leader)
        process.wait(300)
    return written.decode()


def test_on_a_terminal_a_grid_fills_in(tmp_path):
    words = ("run", *ENGINE, "--apps", "good,hangs", "--jobs", "1")
    text = on_a_terminal(tmp_path, *words, until="now: plain-hangs-default-py311")
    assert "plain good" in text
    assert "▸" in text
    assert "1 of 2, about" in text


def test_a_grid_that_does_not_fit_is_a_line_a_server(tmp_path):
    words = ("run", *ENGINE, "--apps", "good,extra", "--jobs", "1")
    text = on_a_terminal(tmp_path, *words, rows=6)
    assert "of 2" in text
    assert "plain good" not in text
