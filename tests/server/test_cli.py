"""The command ``onegate``: usage, what it prints, exit statuses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from onegate import __file__ as onegate_package
from onegate import __version__
from onegate.cli import Invocation, main
from onegate.config.arguments import parse, settings_of
from onegate.config.help import help_text
from onegate.config.settings import OPTIONS
from onegate.settings_error import SettingsError

APP = """
import os
assert os.environ["SAID"] == "yes" and os.getcwd() == os.path.dirname(__file__)
def app(environ, start_response): ...
"""


def onegate(*arguments: str, cwd: Path | None = None, **environ: str) -> tuple[int, str, str]:
    """Run the command; return exit status, standard output and error."""
    ended = subprocess.run(
        [sys.executable, "-m", "onegate", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **environ},
        check=False,
    )
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["m:a", "--workers", "0"],
            "--workers: invalid value '0', expected an integer of at least 1",
        ),
        (["m:a", "--workers"], "option --workers needs a value"),
        (["m:a", "--work", "2"], "unknown option --work; did you mean --workers?"),
        (["m:a", "--worksers=2"], "unknown option --worksers; did you mean --workers?"),
        (
            ["m:a", "--keep-alive", "soon"],
            "--keep-alive: invalid value 'soon', expected a positive number",
        ),
        (
            ["m:a", "--body-memory", "1t"],
            "--body-memory: invalid value '1t', expected a size such as",
        ),
        (["m:a", "--env", "A"], "--env: invalid value 'A', expected NAME=VALUE"),
        (["m:a", "b:c"], "unexpected argument 'b:c': only one application can be served"),
        (["m:a", "--zzz"], "unknown option --zzz"),
        (["m:a", "-z"], "unknown option -z"),
        (["m:a", "--workers", "--reload"], "option --workers needs a value"),
        (["m:a", "--reload=yes"], "option --reload takes no value"),
        (
            ["--", "m:a", "--reload"],
            "unexpected argument '--reload': only one application can be served",
        ),
    ],
)
def test_wrong_usage_ends_with_2_and_names_the_option(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("onegate: error: ")
    assert message in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no application given; run onegate MODULE:APP"),
        (["m:a", "--chdir", "/gone"], "--chdir /gone: No such file or directory"),
        (["m:a", "--config", "/gone"], "--config /gone: No such file or directory"),
        (["m:a", "--error-logfile", "/gone/x"], "--error-logfile /gone/x: No such file"),
        (["m:a", "--check-config", "--hooks", "/gone"], "--hooks /gone: No such file"),
        (["m:a", "--check-config", "--access-log", "x%(z)s"], "unknown atom %(z)s"),
        (["m:a", "--check-config", "--certfile", "/gone"], "--certfile /gone"),
        (["m:a", "--check-config", "--spool", "/gone"], "--spool /gone: No such file or directory"),
        (["m:a", "--check-config", "--spool", "/proc"], "--spool /proc: "),
        (["m:a", "--bind", "nobody.invalid:1", "--spool", "/gone"], "--spool /gone: No such"),
        (["m:a", "--check-config", "--forwarded-allow-ips", "x"], "--forwarded-allow-ips: "),
        (["m:a", "--check-config", "--forwarded-headers", "x"], "--forwarded-headers: "),
        (["--from-gunicorn", "/gone"], "--from-gunicorn /gone: No such file or directory"),
        (["--from-uwsgi", "/gone"], "--from-uwsgi /gone: "),
    ],
)
def test_a_setting_that_cannot_be_used_ends_with_2_and_one_line(
    arguments: list[str], message: str
) -> None:
    status, out, error = onegate(*arguments)
    assert (status, out, error.count("\n")) == (2, "", 1)
    assert error.startswith("onegate: ")
    assert message in error


def test_help_names_every_option_and_default() -> None:
    lines = help_text(78).splitlines()
    assert max(map(len, lines)) <= 78
    text = " ".join(" ".join(lines).split())
    for option in OPTIONS.values():
        assert " ".join(option.help.split()) in text
    assert "(default: 75)" in text
    assert "(default: 1G)" in text
    assert "(default: )" not in text


def test_version() -> None:
    assert onegate("--version") == (0, f"onegate {__version__}\n", "")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_is_asked_for_beside_whatever_else(flag: str) -> None:
    status, out, error = onegate("m:a", "--workers", "2", flag)
    assert (status, error) == (0, "")
    assert out.startswith("usage: onegate [options] MODULE:APP\n")


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        (["m:a", "-w", "3"], {"app": "m:a", "workers": 3}),
        (["-w3", "m:a"], {"app": "m:a", "workers": 3}),
        (["-w=3"], {"workers": 3}),
        (["--workers=3", "--workers=4"], {"workers": 4}),
        (["-b", ":1", "--bind=:2", "-b:3"], {"bind": (":1", ":2", ":3")}),
        (["-e", "A=b=c", "-eD=e f"], {"env": (("A", "b=c"), ("D", "e f"))}),
        (["--reload", "--no-reload", "--preload"], {"reload": False, "preload": True}),
        (["--error-logfile", "-"], {"error_logfile": "-"}),
        (["--access-log", "-x %(h)s"], {"access_log": "-x %(h)s"}),
        (["--access-log=-x"], {"access_log": "-x"}),
        (["--access-log="], {"access_log": ""}),
        (["--workers", "2", "--", "m:a"], {"app": "m:a", "workers": 2}),
        ([], {}),
    ],
)
def test_the_forms_of_a_command_line(words: list[str], settings: dict[str, object]) -> None:
    assert settings_of(parse(words)) == settings


def test_print_config() -> None:
    status, out, error = onegate("m:a", "--print-config", "-w", "3", WEB_CONCURRENCY="9")
    assert (status, error) == (0, "")
    assert tomllib.loads(out)["workers"] == 3
    assert "workers = 3  # command line\n" in out


# ── --check-config ───────────────────────────────────────────────────────────────────────────────


def test_check_config_loads_the_application_in_its_folder_and_environment(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/checked.py").write_text(APP)
    (tmp_path / "x.toml").write_text(
        'app = "checked:app"\nchdir = "site"\nenv = { SAID = "yes" }\n'
    )
    status, out, error = onegate("--check-config", "-c", "x.toml", cwd=tmp_path)
    assert (status, error) == (0, "")
    assert "configuration OK, loaded checked:app" in out


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "there is no module 'checked'"),
        ("", "module 'checked' has no attribute 'app'"),
        ("raise ValueError('told')", "ValueError: told"),
        ("import sys; sys.exit(0)", "SystemExit: 0"),
    ],
)
def test_check_config_ends_with_1_if_the_application_cannot_be_loaded(
    source: str | None, message: str, tmp_path: Path
) -> None:
    if source is not None:
        (tmp_path / "checked.py").write_text(source)
    status, out, error = onegate("--check-config", "checked:app", cwd=tmp_path)
    assert (status, out) == (1, "")
    assert message in error


# ── read again ───────────────────────────────────────────────────────────────────────────────────

AGAIN = """
import os, sys
from onegate.cli import Invocation
from onegate.master.execution_environment import ExecutionEnvironment
from onegate.settings_error import SettingsError
invocation = Invocation({"config": "x.toml"})
context = None
said = []
for text in ('app = "a"\\nchdir = "one"\\nenv = { A = "1", B = "1" }\\numask = "077"',
             'wrong',
             'app = "c"\\nchdir = "gone"',
             'app = "b"\\nenv = { B = "2" }'):
    with open(os.path.join(sys.argv[1], "x.toml"), "w") as file:
        file.write(text)
    try:
        settings = invocation.read_settings()
        context = ExecutionEnvironment(settings, invocation.start, context)
        context.enter()
        app = settings.app
    except SettingsError as error:
        app = "error"
    said.append((app, os.path.relpath(os.getcwd(), sys.argv[1]),
                 os.environ.get("A"), os.environ.get("B")))
print(said, oct(os.umask(0)))
"""


def test_read_again_from_where_it_was_started_and_with_that_environment(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    ended = subprocess.run(
        [sys.executable, "-c", AGAIN, str(tmp_path)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "B": "0"},
        umask=0o022,
        check=True,
    )
    assert ended.stdout == (
        "[('a', 'one', '1', '1'), ('error', 'one', '1', '1'),"
        " ('error', 'one', '1', '1'), ('b', '.', None, '2')] 0o22\n"
    )


def test_no_application_is_an_error() -> None:
    with pytest.raises(SettingsError, match="no application given"):
        Invocation({}).read_settings()


HELD = """
import gc, sys
from onegate.cli import Invocation
invocation = Invocation({"app": "m:a"})
for _ in range(2):
    settings = invocation.read_settings()
    print(sorted(name for name in sys.modules if name.startswith("onegate.config.")))
    print([each for each in gc.get_objects()
           if str(getattr(each, "__module__", "")).startswith("onegate.config.")])
print(settings.workers, settings.replace(workers=3).workers)
"""


def test_what_declares_the_settings_is_given_back_each_time_they_are_read() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HELD], stdout=subprocess.PIPE, text=True, check=True
    )
    assert ended.stdout == "[]\n" * 4 + "1 3\n"


CHANGED = """
import os, sys
from onegate.cli import Invocation
from onegate.settings_error import SettingsError
invocation = Invocation({"app": "m:a"})
invocation.read_settings()
file = os.path.join(sys.path[0], "onegate", "config", "options", "logs.py")
text = open(file).read()
other = "    access_log: str = option("
for now in (text.replace(other, "    another: str = option(0, Kind(), help='', why='')\\n" + other),
            text.replace("Group, option", "Group, no_such_name"), text[:-9], text):
    open(file, "w").write(now)
    try:
        print(invocation.read_settings().app)
    except SettingsError as error:
        print("USR2" in str(error) and "changed since it was started" in str(error))
"""


def test_another_version_on_the_disk_is_no_reason_to_end(tmp_path: Path) -> None:
    shutil.copytree(Path(onegate_package).parent, tmp_path / "onegate")
    (tmp_path / "script.py").write_text(CHANGED)
    ended = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
    )
    assert ended.stdout == "True\nTrue\nTrue\nm:a\n"
