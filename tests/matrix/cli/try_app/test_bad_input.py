"""What users get wrong: one line that says what, where and what to do, and the documented code."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import time

import pytest
from click.testing import CliRunner
from wsgi_matrix.cli import main

from tests.matrix.packages import wheel

from .conftest import ENVIRONMENT, PROGRAM


def complaint(done, code):
    """The last line on stderr, and that nothing else went wrong."""
    assert done.code == code, done.out + done.err
    return done.complaint


def test_no_such_module(try_shop, folder):
    (folder / "shop.py").unlink()
    said = complaint(try_shop("/"), 5)
    assert "ModuleNotFoundError: No module named 'shop'" in said
    assert "--source" in said


def test_the_import_error_from_inside(try_shop, folder):
    (folder / "models.py").write_text("import nowhere_to_be_found\n")
    (folder / "shop.py").write_text("import models\n")
    said = complaint(try_shop("/"), 5)
    assert "No module named 'nowhere_to_be_found'" in said
    assert "'nowhere_to_be_found' (models.py, line 1)" in said
    assert "requirements.txt" in said


def test_a_module_that_has_no_such_callable(command):
    said = complaint(command("try", "shop:nothing", "--engine", "process"), 5)
    assert "has no attribute 'nothing'" in said
    said = complaint(command("try", "shop:PAGES", "--engine", "process"), 5)
    assert "not callable" in said


def test_an_app_that_needs_a_variable(try_shop, folder):
    (folder / "shop.py").write_text("import os\nos.environ['SHOP_KEY']\n")
    said = complaint(try_shop("/"), 5)
    assert "KeyError: 'SHOP_KEY'" in said
    assert "--env SHOP_KEY=" in said


def test_an_app_that_ends_its_process(try_shop, folder):
    (folder / "shop.py").write_text("import os\nprint('no licence', flush=True)\nos._exit(3)\n")
    said = complaint(try_shop("/"), 5)
    assert "exit status 3" in said
    assert "no licence" in said


def test_requirements_that_cannot_be_resolved(try_shop, folder):
    (folder / "requirements.txt").write_text("flask==99.0\n")
    said = complaint(try_shop("/"), 5)
    assert str(folder / "requirements.txt") in said
    assert "flask==99.0" in said


def test_requirements_that_are_not_requirements(try_shop, folder):
    (folder / "requirements.txt").write_text("this is no requirement ===\n")
    assert "requirements.txt" in complaint(try_shop("/"), 5)


def test_a_set_up_command_that_fails(try_shop):
    options = ("--setup", "python -c \"raise SystemExit('no database')\"")
    said = complaint(try_shop("/", options=options), 5)
    assert "setup failed" in said
    assert "no database" in said


def test_a_ready_check_that_never_holds(try_shop, folder):
    expected = "the ready check / expects 418, the last response was: HTTP/1.1 200 OK"
    for deadline in ("2", "30"):  # on a busy machine the server is not there after the first
        options = ("--ready-path", "/", "--ready-status", "418", "--deadline", deadline)
        done = try_shop("/", options=options, servers="onegate")
        assert done.code == 5
        if expected in done.out:
            break
    assert expected in done.out


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.har", "{", "invalid JSON"),
        ("a.har", '{"log": {}}', "not a HAR: the list log.entries"),
        ("a.har", '{"log": {"entries": [{"request": {}}]}}', "log.entries[0] is not a recorded"),
        ("a.har", '{"log": {"entries": []}}', "no HTTP request"),
        ("a.har", "[" * 100_000, "invalid JSON: maximum recursion depth"),
        ("a.json", "[1]", "neither an OpenAPI document"),
        ("a.yaml", "a: [", "invalid YAML"),
        ("a.yaml", "openapi: &a [*a]", "invalid YAML: an alias within its own anchor"),
        ("a.yaml", "? [a]\n: b", "invalid YAML: "),
        ("a.yaml", "openapi: 3.1.0", "without paths"),
        ("a.http", "GET nowhere\n", "line 1: expected a path that begins with /, or a URL"),
        ("a.http", "GET /{{nothing}}\n", "line 1: no variable {{nothing}}"),
        ("a.http", "\n\n", "no requests"),
        ("a.txt", "/fine\nfine\n", "line 2: expected a path that begins with /"),
        ("a.pdf", "x", "unknown form of traffic"),
        ("a.http", b"\xff\xfe", "invalid UTF-8"),
        ("nowhere", None, "a path of the app must begin with /"),
    ],
)
def test_traffic_that_is_none(inside, folder, name, content, expected):
    if content is not None:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    said = complaint(inside("try", "shop:app", "--traffic", name), 2)
    assert name in said
    assert expected in said


def test_a_large_file_is_named_before_it_is_read(inside, folder):
    (folder / "a.yaml").write_text("# " + "x" * 2**20 + "\n[")
    done = inside("try", "shop:app", "--traffic", "a.yaml")
    first, last = done.err.splitlines()
    assert first == f"wsgi-matrix: reading {folder / 'a.yaml'} (1.0 MiB)"
    assert "invalid YAML" in last


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--servers", "onegat"), 'did you mean "onegate"'),
        (("--limits", "fds25"), 'did you mean "fds256"'),
        (("--python", "four"), "a version such as"),
        (("--source", "nowhere"), "no such directory"),
        (("--requirements", "nowhere.txt"), "no such file"),
        (("--ignore", "headr:x"), 'did you mean "header"'),
        (("--ignore", "json:id"), "a path such as $.user.id"),
        (("--ignore", "regex:("), "--ignore regex:("),
        (("--capture", "token"), "a capture such as"),
        (("--allow-status", "200"), "a server error such as 503"),
        (("--header", "X Y: z"), "--header: 'X Y' is not a valid field name"),
        (("--header", "X: \udcff"), "--header: '\\udcff' is not a valid value of the field X"),
        (
            ("--header", "X: {{token}}"),
            "--header: no variable {{token}}: set it with --var token=…",
        ),
        (("--host", "a/b"), "--host: 'a/b' is not a valid host"),
        (("--var", "host"), "--var host: expected NAME=VALUE"),
        (("--http-env", "dev"), '--http-env: no "dev"'),
        (("--largest", "1TiB"), "a size"),
        (("--env", "SHOP_NOT_SET"), "not set in your environment"),
        (("--env", "A-B=1"), "environment.A-B: expected a name of letters, digits and _"),
        (("--env-file", "nowhere.env"), "--env-file"),
        (("--secret", "token=nowhere"), "secrets.token: expected an existing file"),
        (("--writable", "data"), "an absolute path"),
        (("--writable", "/srv"), "outside /srv"),
        (("--setup", "a 'b"), "a command"),
        (("--ready-path", "health"), "a path such as /health"),
        (("--ready-path", "/", "--ready-status", "20"), "a whole number from 100 to 599"),
        (("--service", "db"), "NAME=IMAGE"),
        (("--service-env", "db:A=b"), 'no service "db"'),
        (("--ready", "/health=200"), "use --ready-path /health, and --ready-status"),
        (("--beside", "db=redis"), "use --service"),
        (("--beside-env", "db:A=b"), "use --service-env"),
        (("--server-image", "x"), "--server-command"),
        (("--server-command", "serve {app}"), "{app} and {port}"),
        (("--server-command", "no_such_program_here {app} {port}"), "program not found"),
    ],
)
def test_options_that_say_nothing(inside, options, expected):
    said = complaint(inside("try", "shop:app", "--engine", "process", *options), 2)
    assert expected in said, said


@pytest.mark.parametrize("app", ["shop", "shop:app[0]", "a b:app", ":app", "shop:"])
def test_an_app_that_is_no_name(inside, app):
    assert "mypkg.wsgi:app" in complaint(inside("try", app, "--engine", "process"), 2)


def test_answers_that_are_too_large_or_never_end(try_shop):
    options = ("--patience", "1.5", "--largest", "1MiB")
    done = try_shop("/", "/large", "/endless", "/drip", servers="onegate", options=options)
    assert done.code == 1
    assert "response of more than 1048576 octets; --largest" in done.detail(
        "02-get-large", "onegate"
    )
    assert "response of more than 1048576 octets" in done.detail("03-get-endless", "onegate")
    # Longer by the time that a busy machine kept the processes of the cell waiting.
    assert "no complete response after " in done.detail("04-get-drip", "onegate")
    assert done.outcomes("01-get") == {"onegate": "pass"}
    assert (done.results / "results.json").stat().st_size < 2**20


def test_a_worker_that_dies_over_a_request(try_shop):
    done = try_shop("/", "/exit", "/echo", servers="onegate,gunicorn_sync")
    assert done.code == 1
    assert done.outcomes("02-get-exit") == {"onegate": "fail", "gunicorn_sync": "fail"}
    assert "closed without a response" in done.detail("02-get-exit", "onegate")
    assert done.outcomes("03-get-echo") == {"onegate": "pass", "gunicorn_sync": "pass"}


def test_what_processes_cannot_have_is_refused_with_the_reason(try_shop):
    for option in (("--service", "db=redis"), ("--writable", "/data")):
        done = try_shop("/", options=option)
        assert done.code == 3
        assert "processes" in done.out or "a process sees" in done.out


def test_a_user_without_a_home_directory(folder, monkeypatch):
    monkeypatch.chdir(folder)
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def nobody(uid):
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    done = CliRunner().invoke(main, ["try", "shop:app", "--engine", "process"])
    assert done.exit_code == 2
    assert "XDG_CACHE_HOME to a directory that it can write to" in done.stderr


def test_a_current_directory_that_was_removed(tmp_path):
    (tmp_path / "gone").mkdir()
    done = subprocess.run(
        ["/bin/sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", *PROGRAM, "try", "shop:app"],
        cwd=tmp_path / "gone",
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 5, done.stderr
    assert done.stderr.endswith("the current directory: No such file or directory\n")


def test_a_name_that_is_not_utf_8(tmp_path):
    """uv takes none as an argument; what it says is reported."""
    folder = tmp_path / os.fsdecode(b"b\xffd")
    (folder / "wheels").mkdir(parents=True)
    (folder / "shop.py").touch()
    (folder / "requirements.txt").write_text("--no-index\n--find-links wheels\ntiny\n")
    wheel(folder / "wheels", "tiny")
    done = subprocess.run(
        [*PROGRAM, "--build", tmp_path / "build", "try", "shop:app", "--engine", "process"],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 5, done.stderr
    assert "Traceback" not in done.stderr
    assert "invalid UTF-8" in done.stderr


def test_init_writes_nothing_for_what_is_wrong(inside, folder):
    complaint(inside("init", "shop:app", "--traffic", "nowhere.har"), 2)
    assert not (folder / "matrix.toml").exists()


def test_init_where_nothing_can_be_written_names_the_file():
    done = subprocess.run(
        [*PROGRAM, "init", "shop:app"],
        cwd="/proc",  # root cannot write there either
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 5, done.stderr
    assert done.stderr == "wsgi-matrix: /proc/matrix.toml: No such file or directory\n"


def test_an_interrupt_during_set_up_leaves_nothing(folder):
    """The command tells that it has begun by a file, and would take a minute."""
    begun = folder / "begun"
    code = f"import pathlib, time; pathlib.Path({str(begun)!r}).touch(); time.sleep(60)"
    (folder / "slow.py").write_text(code)
    begun.parent.chmod(0o777)
    words = ("--build", folder / "build", "try", "shop:app", "--engine", "process")
    with subprocess.Popen(
        [*PROGRAM, *words, "--servers", "onegate", "--setup", "python slow.py"],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        until = time.monotonic() + 300
        while not begun.exists() and process.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(300) == 130
    assert list((folder / "build" / "matrix").glob("run-*")) == []
