"""Commands before the server, scripts of what the app requires, and factories."""

from __future__ import annotations

import pytest

from tests.matrix.packages import wheel

from .test_bad_input import complaint

FACTORY = """
def create_app(greeting="hello", *, times=1):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [(greeting * times).encode()]
    return app
"""


def set_up(*commands):
    return tuple(word for command in commands for word in ("--setup", command))


def test_words_are_looked_up_and_files_keep_their_mode(try_shop, folder):
    wheel(folder / "wheels", "tiny")
    (folder / "requirements.txt").write_text("--no-index\n-f wheels\ntiny\n")
    (folder / "manage.py").write_text("#!/usr/bin/env python3\nimport tiny, shop\n")
    (folder / "manage.py").chmod(0o755)
    (folder / "set-up.sh").write_text("tinyctl from a shell\n")
    commands = ("true", "tinyctl migrate", "./manage.py migrate", "sh set-up.sh", "python -m tiny")
    done = try_shop("/", options=set_up(*commands), servers="waitress")
    assert done.code == 0, done.out + done.err


def test_a_command_that_cannot_be_run_is_not_the_server(try_shop, folder):
    said = complaint(try_shop("/", options=set_up("no-such-thing --now")), 5)
    assert "setup failed: no-such-thing --now could not be started" in said
    assert "no program 'no-such-thing' in PATH" in said
    assert "the server" not in said
    (folder / "manage.py").write_text("#!/usr/bin/env python3\n")
    (folder / "manage.py").chmod(0o644)
    said = complaint(try_shop("/", options=set_up("./manage.py migrate")), 5)
    assert "./manage.py is not executable; run chmod +x ./manage.py" in said
    assert "--writable" not in said


def test_what_a_shell_would_do_says_so(try_shop):
    said = complaint(try_shop("/", options=set_up("cd data && flask db upgrade")), 5)
    assert "it needs a shell" in said
    assert "sh -c" in said


def test_a_folder_that_cannot_be_written_names_the_one_that_can(try_shop, folder):
    (folder / "shop.py").write_text("raise PermissionError(13, 'Permission denied', '/data/x')\n")
    assert "--writable /data" in complaint(try_shop("/"), 5)
    code = "import sqlite3; sqlite3.connect('/proc/x/shop.db')"
    said = complaint(try_shop("/", options=set_up(f'python -c "{code}"')), 5)
    assert "unable to open database file" in said
    assert "--env DATABASE={writable}/db.sqlite3" in said


def test_an_app_that_may_not_write_is_told_where_it_may(try_shop, folder):
    (folder / "shop.py").write_text(
        "import sqlite3\ndef app(environ, start_response):\n    sqlite3.connect('/proc/x/a.db')\n"
    )
    done = try_shop("/", servers="waitress")
    assert done.code == 1
    detail = done.detail("01-get", "waitress")
    assert "unable to open database file" in detail
    assert "--env DATABASE={writable}/db.sqlite3" in detail


@pytest.mark.parametrize(
    ("call", "expected"),
    [("create_app()", "hello"), ("create_app('ho', times=2)", "hoho")],
)
def test_a_factory_is_called(command, folder, call, expected):
    (folder / "shop.py").write_text(FACTORY)
    words = ("--engine", "process", "--servers", "onegate,waitress")
    done = command("try", f"shop:{call}", *words)
    assert done.code == 0, done.out + done.err
    assert done.answer("01-get", "waitress") == expected


def test_a_factory_that_is_not_called_and_an_asgi_app_say_so(command, folder):
    code = "def create_app(config=None): ...\nasync def asgi(scope, receive, send): ...\n"
    code += "class Asgi:\n    async def __call__(self, scope, receive, send): ...\n"
    code += "made = Asgi()\ndef one(environ): ...\n"
    (folder / "shop.py").write_text(code)
    for name, expected in (
        ("create_app", "shop:create_app()"),
        ("asgi", "is an ASGI application"),
        ("made", "is an ASGI application"),
        ("one", "does not accept environ and start_response"),
    ):
        assert expected in complaint(command("try", f"shop:{name}", "--engine", "process"), 5)


OPTIONAL = """
class Shop:
    def __call__(self, environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"hello"]

def create_app(config=None, debug=False):
    return Shop()

def chooses(name="test", debug=False):
    return {"test": Shop}[name]()

def decorated(*args, **kwargs):
    return Shop()(*args, **kwargs)

def fails(*args):
    raise RuntimeError("no database")
"""


def test_a_factory_with_optional_parameters_alone_is_told_beside_its_errors(command, folder):
    """By its parameters it may be an application as well, behind a decorator say."""
    (folder / "shop.py").write_text(OPTIONAL)
    words = ("--engine", "process", "--servers", "onegate,waitress")
    note = "all responses are server errors; if shop:{0} is a factory, it must be called"
    for name in ("create_app", "chooses", "fails"):
        done = command("try", f"shop:{name}", *words)
        assert done.code == 1
        assert f"{note.format(name)}: shop:{name}()" in done.out
        assert note.format(name) in done.report("report.html")
        for server in ("onegate", "waitress"):
            detail = done.detail("01-get", server)
            assert ("what to do: if shop:create_app is a factory" in detail) == (
                name == "create_app"
            )
    done = command("try", "shop:decorated", *words)
    assert done.code == 0, done.out + done.err
    assert "it must be called" not in done.out


@pytest.mark.parametrize("parameters", ["config=None, debug=False", "config=None", ""])
def test_a_factory_that_is_not_called_is_told_by_run_too(command, folder, parameters):
    code = OPTIONAL.replace("config=None, debug=False", parameters)
    (folder / "shop.py").write_text(code)
    assert command("init", "shop:create_app", "--servers", "onegate,waitress").code == 0
    done = command("run", "--engine", "process")
    assert done.code == 1
    hint = "what to do: if shop:create_app is a factory, it must be called"
    assert done.out.count(f"{hint}: shop:create_app()") == 4  # a request and a burst of each server


def test_what_an_app_without_requirements_gets_is_said(try_shop, folder):
    assert "no requirements: " in try_shop("/", servers="waitress").err
    (folder / "requirements.txt").write_text("# none\n")
    assert "no requirements" not in try_shop("/", servers="waitress").err


def test_a_server_that_does_nothing_about_its_signal_ends_in_order(command, folder):
    (folder / "serve.py").write_text(
        "import sys, importlib, wsgiref.simple_server as server\n"
        "module, _, name = sys.argv[1].partition(':')\n"
        # With a queue of 5, the SYNs of most clients of a burst are sent again seconds later.
        "server.WSGIServer.request_queue_size = 128\n"
        "app = getattr(importlib.import_module(module), name)\n"
        "server.make_server('127.0.0.1', int(sys.argv[2]), app).serve_forever()\n"
    )
    own = ("--server-command", "{python} serve.py {app} {port}", "--engine", "process")
    done = command("try", "shop:app", *own)
    assert done.code == 0, done.out + done.err
    assert done.outcomes("clean-exit") == {"own": "pass"}
    assert "exited after SIGTERM (exit status 143)" in done.detail("clean-exit", "own")
    done = command("try", "shop:app", *own, "--stop-signal", "SIGINT")
    assert "exited after SIGINT (exit status 130)" in done.detail("clean-exit", "own")
    code = (folder / "serve.py").read_text()
    ends = "import signal\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
    (folder / "serve.py").write_text(code.replace("module, _", ends + "module, _", 1))
    done = command("try", "shop:app", *own)
    assert done.outcomes("clean-exit") == {"own": "fail"}
    assert "exit status 3, expected 0 or 143 after SIGTERM" in done.detail("clean-exit", "own")


def test_a_stop_signal_that_is_none(command):
    words = ("--server-command", "{python} x {app} {port}", "--stop-signal", "SIGNOTHING")
    assert "SIGTERM" in complaint(command("try", "shop:app", *words), 2)
    assert "--server-command" in complaint(command("try", "shop:app", "--stop-signal", "SIGINT"), 2)
