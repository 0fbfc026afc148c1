"""`wsgi-matrix try` from end to end, as processes: what differs is red, and nothing else."""

from __future__ import annotations

import json
import shlex
import tomllib
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

import jsonschema
import pytest
from wsgi_matrix.config import matrix_toml
from wsgi_matrix.packaging import interpreters
from wsgi_matrix.results import results_json

from tests.matrix.packages import wheel

LOGIN = """
### The form
# @name form
# @capture csrf = regex:name="csrf" value="([^"]+)"
GET /login

### What the form sends
# @name in
POST /login
Content-Type: application/x-www-form-urlencoded

user=ann&csrf={{csrf}}

### Where that leads
GET {{in.response.headers.Location}}
"""


def test_ten_lines_of_app_and_nothing_else(try_shop):
    done = try_shop("/", servers="onegate,gunicorn,waitress")
    assert done.code == 0, done.out + done.err
    assert done.outcomes("01-get") == dict.fromkeys(
        ("onegate", "gunicorn_sync", "waitress"), "pass"
    )
    assert done.outcomes("01-get:same") == {"gunicorn_sync": "pass", "waitress": "pass"}
    assert done.outcomes("burst")["onegate"] == "pass"
    jsonschema.validate(done.result, results_json.schema())


def test_an_app_that_answers_otherwise_is_red_with_both_sides(try_shop):
    done = try_shop("/", "/differs", servers="onegate,waitress")
    assert done.code == 1
    assert done.outcomes("01-get:same") == {"waitress": "pass"}
    assert done.outcomes("02-get-differs:same") == {"waitress": "differ"}
    detail = done.detail("02-get-differs:same", "waitress")
    assert "threads: False" in detail
    assert "threads: True" in detail


def test_content_that_differs_is_told_by_its_first_line_that_does(try_shop):
    done = try_shop("/lines")
    assert done.detail("01-get-lines:same", "waitress").splitlines() == [
        "GET /lines: content, line 2",
        "there (onegate-shop-default-py311-traffic): threads: False",
        "here (waitress-shop-default-py311-traffic): threads: True",
    ]
    [cell] = [each for each in done.result["cells"] if each["server"] == "waitress"]
    [check] = [each for each in cell["checks"] if each["id"] == "01-get-lines:same"]
    assert check["against"] == "onegate-shop-default-py311-traffic"


def test_a_green_run_says_what_was_responded_and_warns_where_nothing_was_found(try_shop):
    done = try_shop("/nothing", "/neither")
    assert done.code == 0, done.out
    assert "2 requests: 2 × 404 (in each of 2 cells)" in done.out
    assert "404: GET /nothing, GET /neither" in done.out
    assert "warning: no request got a 2xx or 3xx response" in done.out
    for name in ("report.md", "report.html"):
        text = done.report(name)
        assert "2 requests: 2 × 404" in text
        assert "no request got a 2xx or 3xx response" in text
    junit = ET.fromstring(done.report("junit.xml"))
    told = {each.get("value") for each in junit.iterfind("testsuite/properties/property")}
    assert {"2 requests: 2 × 404"} < told
    statuses = [each.get("value") for each in junit.iterfind(".//testcase/properties/property")]
    assert statuses == ["404"] * 4
    some = try_shop("/", "/nothing")
    assert "2 requests: 1 × 200, 1 × 404" in some.out
    assert "warning" not in some.out


def test_a_recording_of_another_status_is_told(try_shop, folder):
    entry = {"request": {"method": "POST", "url": "https://shop.example/login", "headers": []}}
    entry["request"]["postData"] = {"mimeType": "application/x-www-form-urlencoded", "text": "a=1"}
    entry["response"] = {"status": 200, "headers": [], "content": {}}
    (folder / "shop.har").write_text(json.dumps({"log": {"entries": [entry]}}))
    done = try_shop("shop.har")
    assert done.code == 0, done.out
    assert "recorded 200, here 403: POST /login" in done.out
    assert "recorded 200, here 403: POST /login" in done.report("report.md")
    assert done.detail("01-post-login", "onegate") == "POST /login: recorded 200, here 403"


def test_a_burst_is_held_to_a_lone_response_after_the_session(try_shop, folder):
    """What the session does to the app is no fault of a burst."""
    (folder / "made.http").write_text("PUT /made\n\n###\n\nGET /made\n")
    done = try_shop("made.http", options=("--workers", "1"))
    assert done.code == 0, done.out
    assert done.detail("burst", "onegate").startswith(
        "single request 200, then 32 × 200 (32 clients"
    )


def test_a_burst_of_server_errors_is_no_pass_and_its_log_is_told(try_shop):
    done = try_shop("/logs?burst", options=("--limits", "default"))
    assert done.outcomes("burst") == {"onegate": "fail", "waitress": "fail"}
    detail = done.detail("burst", "onegate")
    assert detail.startswith("single request 500, then 32 × 500")
    assert "a line about burst" in detail


def test_log_lines_stand_with_the_request_that_they_were_written_during(try_shop):
    done = try_shop("/logs?one", "/", "/logs?two", "/exit")
    for server in ("onegate", "waitress"):
        one, two = (
            done.detail(f"{n}-get-logs-{w}", server) for n, w in (("01", "one"), ("03", "two"))
        )
        assert "a line about one" in one
        assert "a line about two" not in one
        assert "a line about two" in two
        assert "a line about one" not in two
    # A worker that is gone is told of with the request that it was gone in.
    gone = done.detail("04-get-exit", "onegate")
    assert "server log meanwhile" in gone
    assert "a line about" not in gone


def test_the_first_server_and_the_first_python_are_the_reference(try_shop):
    done = try_shop("/differs", servers="waitress,onegate")
    assert [cell["server"] for cell in done.result["cells"]] == ["waitress", "onegate"]
    assert done.outcomes("01-get-differs:same") == {"onegate": "differ"}


def test_what_changes_by_itself_is_told_first_and_is_no_difference(try_shop):
    paths = ("/changing", "/page")
    done = try_shop(*paths)
    assert done.code == 0, done.out
    assert done.outcomes("01-get-changing:same") == {"waitress": "xfail"}
    assert "the same, except for values that the app changes by itself" in done.detail(
        "02-get-page:same", "waitress"
    )
    head, _, rest = done.out.partition("┏")
    assert "These values differ between two runs of the reference" in head
    assert "changes by itself: 2 comparisons are the same except for that" in rest
    assert "changes by itself: 2 comparisons" in done.report("report.html")
    # One command, as it is pasted.
    command = shlex.split(head.partition("To ignore them:")[2].replace("\\\n", ""))
    assert command[0] == "wsgi-matrix"
    assert command[3] == "try"
    at = command.index("--ignore")
    ignores = command[at + 1 :: 2]
    assert ignores[:3] == ["header:x-request-id", "cookie:visit", "json:$.items[*].id"]
    again = try_shop(*paths, options=command[at:])
    assert again.code == 0, again.out
    assert again.outcomes("01-get-changing:same") == {"waitress": "pass"}
    assert "--ignore" not in again.out


def test_a_difference_beyond_what_changes_by_itself_is_red(try_shop):
    done = try_shop("/changing", "/differs")
    assert done.code == 1
    assert done.outcomes("01-get-changing:same") == {"waitress": "xfail"}
    assert done.outcomes("02-get-differs:same") == {"waitress": "differ"}
    assert "not the same as the reference" in done.out


def test_what_changes_by_itself_can_be_ignored_without_naming_it(try_shop):
    done = try_shop("/changing", options=("--ignore", "auto"))
    assert done.code == 0, done.out
    assert done.outcomes("01-get-changing:same") == {"waitress": "pass"}
    assert "ignored (auto): header:x-request-id" in done.out


def test_runs_never_overwrite_each_other_and_show_takes_the_last(command, folder):
    """Two at a time, in one directory, with nothing else to tell them apart."""
    words = ("try", "shop:app", "--engine", "process", "--servers", "onegate", "--traffic")
    assert command(*words, "/").code == 0  # what all runs share is made
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(command, *words, path) for path in ("/", "/page")]
    one, two = (each.result() for each in runs)
    assert one.results != two.results
    for done, request in ((one, "GET /"), (two, "GET /page")):
        checks = done.result["cells"][0]["checks"]
        assert [check["request"] for check in checks if check["request"]] == [request]
    last = command(*words, "/differs")
    assert last.results not in (one.results, two.results)
    closer = last.out.splitlines()[-1].removeprefix("details: ")
    shown = command(*shlex.split(closer)[1:])
    assert shown.code == 0, shown.err
    cell = last.result["cells"][0]["id"]
    assert "GET /differs" in command("show", cell).out
    assert command("show", cell).out == shown.out
    started = last.result["run"]["started"]
    file = last.results / "results.json"
    assert (
        command("show", cell).err
        == f"wsgi-matrix: showing the last run, started {started}: {file}\n"
    )
    beside = command("report", cwd=folder.parent)
    assert (
        beside.err
        == f"wsgi-matrix: showing the last run in another directory, started {started}: {file}\n"
    )
    assert "01-get-differs" in command("report", "--format", "junit").out
    assert len(one.report("report.html")) > 1000


@pytest.mark.parametrize("engine", ["process", "docker"])
def test_requirements_that_are_others_on_another_python_are_named(
    try_shop, folder, engine, request
):
    if engine == "docker":
        request.getfixturevalue("containers")
    elif interpreters.find("3.13") is None:
        pytest.skip("no python3.13 here")
    for version, python in (("1.0", ""), ("2.0", ">=3.13")):
        wheel(folder / "wheels", "tiny", version, python=python)
    (folder / "requirements.txt").write_text("--no-index\n--find-links wheels\ntiny\n")
    done = try_shop("/", options=("--python", "3.11,3.13"), servers="waitress", engine=engine)
    assert done.code == 0, done.out + done.err
    expected = "versions differ between Pythons: tiny 1.0 on 3.11, 2.0 on 3.13."
    assert [expected in note for note in done.result["run"]["notes"]].count(True) == 1
    for text in (done.out, done.report("report.md"), done.report("report.html")):
        assert expected in text
    pinned = "--no-index\n--find-links wheels\ntiny==1.0\n"
    (folder / "requirements.txt").write_text(pinned)
    done = try_shop("/", options=("--python", "3.11,3.13"), servers="waitress", engine=engine)
    assert "versions differ between" not in done.out


def test_a_dry_run_shows_the_requests_as_they_will_be_sent(try_shop, folder):
    (folder / "login.http").write_text(LOGIN)
    done = try_shop("/", "login.http", options=("--dry-run",))
    assert done.code == 0, done.err
    assert "waitress-shop-default-py311-traffic 4 requests, then 32 concurrent clients" in done.out
    assert "  POST /login HTTP/1.1\n  Host: localhost\n" in done.out
    assert "  Content-Length: depends on the values\n  \n  user=ann&csrf={{csrf}}" in done.out
    assert "{{csrf}} is set from regex:" in done.out
    assert "normalised before comparison" in done.out
    assert not list((folder / "build").rglob("results.json"))


def test_what_there_is_is_listed_without_a_matrix(command):
    assert "tight nofile=64 nproc=32 memory=128MiB clients=200" in command("list", "limits").out
    assert "\nwaitress waitress 3" in command("list", "servers").out
    assert "3.11" in command("list", "pythons").out
    helped = command("try", "--help").out
    assert "nofile=64 nproc=32" in helped
    assert "waitress 3" in helped
    wrong = command("list")
    assert wrong.code == 2
    assert "no matrix.toml" in wrong.complaint
    assert "wsgi-matrix list servers" in wrong.complaint


def test_a_session_carries_cookies_and_what_was_captured(try_shop, folder):
    (folder / "login.http").write_text(LOGIN)
    done = try_shop("login.http", options=("--ignore", "regex:[0-9a-f-]{36}"))
    assert done.code == 0, done.out
    for server in ("onegate", "waitress"):
        assert "303" in done.detail("02-post-login", server)
        assert done.answer("03-get-in-location", server) == "['seen', 'who'] of=ann"


def test_a_capture_that_finds_nothing_is_told_and_nothing_wrong_is_sent(try_shop, folder):
    (folder / "login.http").write_text(LOGIN.replace('name="csrf" value', 'name="xsrf" value'))
    done = try_shop("login.http", servers="onegate")
    assert done.code == 1
    assert "no earlier response provided {{csrf}}" in done.detail("02-post-login", "onegate")


def test_server_errors_are_red_unless_they_are_meant(try_shop):
    done = try_shop("/error", "/unavailable")
    assert done.code == 1
    assert "broken on purpose" in done.detail("01-get-error", "onegate")
    assert done.outcomes("02-get-unavailable")["onegate"] == "fail"
    meant = try_shop("/unavailable", options=("--allow-status", "503"))
    assert meant.code == 0, meant.out


def test_what_is_around_an_app(try_shop, folder):
    (folder / "token.txt").write_text("s3cret")
    (folder / "shop.env").write_text('# for tests\nexport SHOP="a b"\n')
    options = (
        *("--env-file", "shop.env", "--secret", "token=token.txt", "--writable", "/data"),
        *("--env", "SHOP_FOLDER={writable}", "--env", "SHOP_SECRET={secrets}/token"),
        *(
            "--setup",
            "python -c \"import sys; open(sys.argv[1], 'w').write('up')\" {writable}/made",
        ),
        *("--ready-path", "/environment", "--ready-status", "200"),
    )
    done = try_shop("/environment", options=options)
    assert done.code == 0, done.out + done.err
    told = json.loads(done.answer("01-get-environment", "waitress"))
    assert told == {"variable": "a b", "made": "up", "secret": "s3cret"}
    # Each cell has its own, and nothing of it is left.
    assert list((folder / "build" / "matrix").glob("run-*")) == []


def test_limits_and_workers_are_chosen(try_shop):
    done = try_shop(
        "/", servers="onegate", options=("--limits", "default,fds256", "--workers", "1")
    )
    assert done.code == 0, done.out
    assert [cell["limits_observed"]["nofile"] for cell in done.result["cells"]][1] == 256
    assert "1 worker with 1 thread" in done.result["cells"][0]["log"]
    assert "3600 clients" in next(
        check["detail"] for check in done.result["cells"][1]["checks"] if check["id"] == "burst"
    )


def test_a_server_of_their_own(try_shop, folder):
    (folder / "serve.py").write_text(
        "import importlib, sys\nfrom wsgiref.simple_server import WSGIServer, make_server\n"
        "WSGIServer.request_queue_size = 128\n"  # of all clients of a burst
        "module, _, name = sys.argv[1].partition(':')\n"
        "app = getattr(importlib.import_module(module), name)\n"
        "make_server('127.0.0.1', int(sys.argv[2]), app).serve_forever()\n"
    )
    command = "{python} serve.py {app} {port}"
    done = try_shop("/", servers="onegate", options=("--server-command", command))
    assert [cell["server"] for cell in done.result["cells"]] == ["own", "onegate"]
    assert done.outcomes("01-get") == {"own": "pass", "onegate": "pass"}
    # It does nothing about the signal, and ends by it.
    assert done.outcomes("clean-exit") == {"own": "pass", "onegate": "pass"}
    assert "exit status 143" in done.detail("clean-exit", "own")


def test_paths_with_everything_in_them(try_shop):
    path = "/ä b'\"$(x)`;&|<>?q=ü z&r={x}#fragment"
    done = try_shop(path, servers="onegate,gunicorn_sync,waitress")
    assert done.code == 0, done.out
    assert done.outcomes("burst")["onegate"] == "pass"


def test_what_holds_for_all_requests_is_sent_and_written_down(command, folder):
    """By `try`, and by the matrix.toml that `init` writes with the same options."""
    (folder / "a.http").write_text("# X-Old: 1\nget {{host}}/echo\n  # X-Old: 2\n\n")
    (folder / "http-client.env.json").write_text('{"dev": {"host": "shop.example:80"}}')
    options = ("--traffic", "/echo?{{name}}", "--traffic", "a.http", "--servers", "onegate")
    options += ("--header", "Authorization: Basic ann {{word}}", "--header", 'X-Is: "{{name}}"')
    options += ("--var", "name=7", "--var", "word=s3c", "--http-env", "dev")
    for words in (("try", "shop:app", *options), ("run",)):
        if words == ("run",):
            assert command("init", "shop:app", *options).code == 0
        done = command(*words, "--engine", "process")
        assert done.code == 0, done.out + done.err
        for name, host in (("01-get-echo-7", "localhost"), ("02-get-echo", "shop.example")):
            seen = json.loads(done.answer(name, "onegate").rpartition("\n")[2])
            assert seen["HTTP_HOST"] == host
            assert seen["HTTP_AUTHORIZATION"] == "Basic YW5uOnMzYw=="
            assert seen["HTTP_X_IS"] == '"7"'
            assert set(seen) == {
                "query",
                "body",
                *(f"HTTP_{x}" for x in ("HOST", "AUTHORIZATION", "X_IS")),
            }


def test_init_writes_what_try_runs(command, folder):
    options = ("--traffic", "/", "--traffic", "/page", "--ignore", 'regex:value="([^"]*)"')
    options += ("--servers", "onegate,waitress", "--env", 'SHOP=a "b" \\ ü', "--python", "3.11")
    options += ("--limits", "default,fds256")
    done = command("init", "shop:app", *options)
    assert done.code == 0, done.err
    written = tomllib.loads((folder / "matrix.toml").read_text())
    assert written["apps"]["shop"]["environment"] == {"SHOP": 'a "b" \\ ü'}
    listed = command("list").out.split()
    assert listed == [
        f"{server}-shop-{limits}-py311-traffic"
        for server in ("onegate", "waitress")
        for limits in ("default", "fds256")
    ]
    ran = command("run", "--engine", "process")
    assert ran.code == 0, ran.out + ran.err
    assert ran.outcomes("02-get-page:same") == {"onegate": "pass", "waitress": "pass"}
    again = command("init", "shop:app")
    assert again.code == 2
    assert "--force" in again.err
    assert tomllib.loads((folder / "matrix.toml").read_text()) == written


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('send = ["/"]', 'send = ["/page"]'),
        ('SHOP = "a"', 'SHOP = "b"'),
        ('send = ["/"]', 'send = ["/"]\nallow_status = ["503"]'),
    ],
)
def test_a_cell_with_other_traffic_or_app_environment_is_not_reused(command, folder, old, new):
    words = ("init", "shop:app", "--servers", "onegate", "--env", "SHOP=a", "--traffic", "/")
    assert command(*words).code == 0
    run = ("run", "--engine", "process", "--reuse")
    command(*run)
    assert [bool(cell["reused"]) for cell in command(*run).result["cells"]] == [True]
    text = (folder / "matrix.toml").read_text()
    assert text.count(old) == 1
    (folder / "matrix.toml").write_text(text.replace(old, new))
    assert [bool(cell["reused"]) for cell in command(*run).result["cells"]] == [False]


def test_what_init_comments_out_is_what_a_matrix_may_say(command, folder):
    """Every line of the advice is uncommented, and the file is still one that can be read."""
    assert command("init", "shop:app").code == 0
    (folder / "token.txt").touch()
    text = (folder / "matrix.toml").read_text()
    head, marker, advice = text.partition("# Further tables and keys, if you need them:\n#\n")
    assert marker
    lines = [line.removeprefix("#").removeprefix(" ") for line in advice.splitlines()]
    shop = head.replace("[apps.shop]\n", "[apps.shop]\n@\n")
    table = "\n".join(lines[1 : lines.index("")])
    (folder / "matrix.toml").write_text(
        shop.replace("@", table) + "\n".join(lines[lines.index("") :]) + "\n"
    )
    read = matrix_toml.load(folder / "matrix.toml")
    needs = read.apps["shop"].needs
    assert needs.services[0].image == "postgres:17"
    assert needs.setup == (("python", "manage.py", "migrate"),)
    assert read.limits["small"].nofile == 128
    assert read.xfails[0].suite == "traffic"


@pytest.mark.parametrize("words", [("--help",), ("try", "--help"), ("init", "--help")])
def test_help_needs_no_matrix(command, words):
    assert command(*words).code == 0
