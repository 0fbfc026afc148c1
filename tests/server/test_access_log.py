"""``onegate.logs.access_log``: its formats, and that nothing a client sends breaks a line."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import select
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onegate.config.settings import Settings
from onegate.logs import access_format, log_files
from onegate.logs.access_format import COMBINED, escape, formatter, user
from onegate.logs.access_log import AccessLog
from onegate.settings_error import SettingsError

from tests.server.helpers import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server.conftest import Serve

ENVIRON: dict[str, Any] = {
    "REMOTE_ADDR": "192.0.2.1",
    "REQUEST_METHOD": "GET",
    "RAW_URI": "/a%20b?x=1",
    "PATH_INFO": "/a b",
    "QUERY_STRING": "x=1",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "HTTP_HOST": "example.org",
    "HTTP_REFERER": "http://example.org/",
    "HTTP_USER_AGENT": "agent/1",
    "CONTENT_TYPE": "text/plain",
}
FIELDS = "Content-Type: text/html\r\nX-A: 1\r\nx-a:  2\r\nX-Ab: 3\r\n"
TIME = r"\[\d\d/(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]"


class Open(Protocol):
    """Opens the files of settings; returns the access log."""

    def __call__(self, text: str, file: str | Path) -> AccessLog: ...


@pytest.fixture
def open_log() -> Iterator[Open]:
    with contextlib.ExitStack() as stack:

        def open_log(text: str, file: str | Path) -> AccessLog:
            opened = log_files.Logs(Settings(access_log=text, access_logfile=str(file)))
            stack.callback(opened.close)
            assert opened.access is not None
            return AccessLog(text, opened.access)

        yield open_log


def line(text: str, environ: dict[str, Any] | None = None, **told: Any) -> str:
    values = {"status": 200, "fields": FIELDS, "octets": 6, "seconds": 1.2345678, **told}
    return formatter(text)(dict(ENVIRON) if environ is None else environ, *values.values())


# ── formats ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("atom", "value"),
    [
        ("h", "192.0.2.1"),
        ("l", "-"),
        ("u", "-"),
        ("r", "GET /a%20b?x=1 HTTP/1.1"),
        ("s", "200"),
        ("m", "GET"),
        ("U", "/a b"),
        ("q", "x=1"),
        ("H", "HTTP/1.1"),
        ("b", "6"),
        ("B", "6"),
        ("f", "http://example.org/"),
        ("a", "agent/1"),
        ("T", "1"),
        ("M", "1234"),
        ("D", "1234567"),
        ("L", "1.234568"),
        pytest.param("p", f"<{os.getpid()}>", id="p"),
        ("{host}i", "example.org"),
        ("{User-Agent}i", "agent/1"),
        ("{content-type}i", "text/plain"),
        ("{x-none}i", "-"),
        ("{content-type}o", "text/html"),
        ("{X-A}o", "1, 2"),
        ("{x-none}o", "-"),
        ("{SERVER_PROTOCOL}e", "HTTP/1.1"),
        ("{NONE}e", "-"),
    ],
)
def test_atom(atom: str, value: str) -> None:
    assert line(f"<%({atom})s>") == f"<{value}>"


def test_time() -> None:
    assert re.fullmatch(TIME, line("%(t)s"))


def test_the_time_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1.0
    monkeypatch.setattr(access_format.time, "time", lambda: now)
    monkeypatch.setenv("TZ", "XXX-5:30")
    access_format.time.tzset()
    try:
        first = line("%(t)s"), json.loads(line("json"))["time"]
        now = 86400.25
        second = line("%(t)s"), json.loads(line("json"))["time"]
    finally:
        monkeypatch.undo()
        access_format.time.tzset()
    assert first == ("[01/Jan/1970:05:30:01 +0530]", "1970-01-01T00:00:01.000000Z")
    assert second == ("[02/Jan/1970:05:30:00 +0530]", "1970-01-02T00:00:00.250000Z")


def test_no_content_is_a_dash_or_0() -> None:
    assert line("%(b)s %(B)s", octets=0) == "- 0"


def test_literal_text_and_percent_signs() -> None:
    assert line("100%% {} %(s)s\t\n%%(s)s") == "100% {} 200\t\\n%(s)s"


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("common", rf'192\.0\.2\.1 - - {TIME} "GET /a%20b\?x=1 HTTP/1\.1" 200 6'),
        (
            "combined",
            rf'192\.0\.2\.1 - - {TIME} "GET /a%20b\?x=1 HTTP/1\.1" 200 6'
            r' "http://example\.org/" "agent/1"',
        ),
    ],
)
def test_named_format(name: str, pattern: str) -> None:
    assert re.fullmatch(pattern, line(name))


def test_json() -> None:
    entry = json.loads(line("json"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", entry.pop("time"))
    assert re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]+", entry.pop("request_id"))
    assert entry == {
        "pid": os.getpid(),
        "remote_addr": "192.0.2.1",
        "method": "GET",
        "target": "/a%20b?x=1",
        "protocol": "HTTP/1.1",
        "host": "example.org",
        "referer": "http://example.org/",
        "user_agent": "agent/1",
        "user": None,
        "status": 200,
        "octets": 6,
        "seconds": 1.234568,
    }


def test_the_request_is_named_alike_everywhere() -> None:
    environ = dict(ENVIRON)
    name = line("%({onegate.request_id}e)s", environ)
    assert json.loads(line("json", environ))["request_id"] == name
    assert line("%({onegate.request_id}e)s", dict(ENVIRON)) != name


@pytest.mark.parametrize("name", ["common", "combined"])
def test_of_a_request_that_was_not_understood_only_the_client_is_known(name: str) -> None:
    assert re.match(
        rf'192\.0\.2\.1 - - {TIME} "-" 400 -', line(name, {"REMOTE_ADDR": "192.0.2.1"},
                                                   status=400, octets=0, fields="")
    )  # fmt: skip


def test_a_client_without_an_address() -> None:
    assert line("%(h)s %({REMOTE_ADDR}e)s %({REMOTE_PORT}e)s", {"REMOTE_ADDR": ""}) == "- - -"
    assert json.loads(line("json", {"REMOTE_ADDR": ""}))["remote_addr"] is None


@pytest.mark.parametrize(
    ("credentials", "name"),
    [
        (b"Basic " + base64.b64encode(b"ann:secret"), "ann"),
        (b"basic  " + base64.b64encode(b"ann:a:b"), "ann"),
        (b"Basic " + base64.b64encode(b"ann"), "ann"),
        (b"Basic " + base64.b64encode(b":secret"), "-"),
        (b"Basic ann:secret", "-"),
        (b"Basic \xff", "-"),
        (b"Basic", "-"),
        (b"Bearer abc", "-"),
    ],
)
def test_user(credentials: bytes, name: str) -> None:
    environ = {"HTTP_AUTHORIZATION": credentials.decode("latin-1")}
    assert user(environ) == name
    assert line("%(u)s", environ) == name
    assert "secret" not in line("json", environ)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("combine", "'combine': expected off, common, combined, json or a format"),
        ("%(z)s", r"unknown atom %\(z\)s; known are h l u t"),
        ("%({a}x)s", r"unknown atom %\({a}x\)s"),
        ("%(h)s %h", "% must begin an atom"),
        ("%(h)s 100%", "% must begin an atom"),
        ("%(h) x", "% must begin an atom"),
    ],
)
def test_not_a_format(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        formatter(text)


# ── what clients send ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain text", "plain text"),
        ('a"b', r"a\"b"),
        ("a\\b", r"a\\b"),
        ("a\nb\r\0\x7f\x1b[1m", r"a\x0ab\x0d\x00\x7f\x1b[1m"),
        ("\xe9\xff", r"\xe9\xff"),
        ("€\U0001f600\ud800", r"\u20ac\U0001f600\ud800"),
        (None, "None"),
    ],
)
def test_escape(text: object, escaped: str) -> None:
    assert escape(text) == escaped


@given(st.text(st.characters(), max_size=40))
def test_an_escaped_text_is_printable_ascii_and_stands_for_one_text(text: str) -> None:
    escaped = escape(text)
    assert re.fullmatch(r'([ !#-\[\]-~]|\\["\\]|\\x..|\\u....|\\U.{8})*', escaped)
    back = re.sub(
        r"\\(?:([\"\\])|x(..)|u(....)|U(.{8}))",
        lambda match: match[1] or chr(int(match[2] or match[3] or match[4], 16)),
        escaped,
    )
    assert back == text


_ANY = st.text(st.characters(), max_size=30)
_KEYS = ["REMOTE_ADDR", "REQUEST_METHOD", "RAW_URI", "SERVER_PROTOCOL", "HTTP_HOST", "HTTP_REFERER",
         "HTTP_USER_AGENT", "HTTP_AUTHORIZATION", "HTTP_X_REQUEST_ID", "PATH_INFO"]  # fmt: skip


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(_KEYS, _ANY)), _ANY)
def test_whatever_is_sent_a_line_is_one_line_with_its_own_fields(
    environ: dict[str, Any], fields: str
) -> None:
    text = line("combined", environ, fields=fields)
    assert re.fullmatch(r"[ -~]*", text)
    quoted = r'"((?:[^"\\]|\\.)*)"'
    assert re.fullmatch(rf"(.*) - (.*) {TIME} {quoted} 200 6 {quoted} {quoted}", text)
    assert re.fullmatch(r"<[ -~]*>", line("<%({x}o)s%(U)s%({host}i)s>", environ, fields=fields))
    entry = line("json", environ, fields=fields)
    assert re.fullmatch(r"[ -~]*", entry)
    assert json.loads(entry)["referer"] == environ.get("HTTP_REFERER")
    assert list(json.loads(entry)) == list(json.loads(line("json")))


def test_what_the_application_put_into_the_environ_is_no_error() -> None:
    odd = dict.fromkeys(ENVIRON, object())
    assert '"<object' in line("combined", odd)
    assert "<object" in json.loads(line("json", odd))["referer"]


# ── the file ─────────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_appended_to_and_opened_again(tmp_path: Path, open_log: Open) -> None:
    file = tmp_path / "access.log"
    file.write_text("before\n")
    access = open_log("%(s)s", file)
    access(ENVIRON, 200, "", 0, 0)
    file.rename(tmp_path / "moved")
    access(ENVIRON, 201, "", 0, 0)
    access._file.reopen()
    access(ENVIRON, 202, "", 0, 0)
    assert (tmp_path / "moved").read_text() == "before\n200\n201\n"
    assert file.read_text() == "202\n"


def test_a_file_that_cannot_be_opened(tmp_path: Path, open_log: Open) -> None:
    with pytest.raises(SettingsError, match=r"--access-logfile .*: No such file or directory"):
        open_log("common", tmp_path / "gone/x")


def test_a_fifo_that_nobody_reads_is_not_waited_for(tmp_path: Path, open_log: Open) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(SettingsError, match="No such device or address"):
        open_log("common", fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    access = open_log("%(s)s", fifo)
    os.close(reader)
    access(ENVIRON, 200, "", 0, 0)
    access._file.reopen()
    assert os.get_blocking(access._file.fd)


def test_a_full_disk_disturbs_nobody(open_log: Open) -> None:
    access = open_log("common", "/dev/full")
    access(ENVIRON, 200, "", 0, 0)


LONG = {**ENVIRON, "RAW_URI": "/" + "x" * 8000, "HTTP_REFERER": '"' * 8000,
        "HTTP_USER_AGENT": "\xff" * 8000, "HTTP_HOST": "\xff" * 8000}  # fmt: skip


@pytest.mark.parametrize(
    "name", ["common", "combined", "json", "x" * 5000 + "%(r)s", "%({host}i)s" * 99]
)
def test_a_line_to_a_pipe_never_exceeds_what_is_written_at_once(
    name: str, tmp_path: Path, open_log: Open
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    access = open_log(name, fifo)
    access(LONG, 200, "", 0, 0)
    octets = os.read(reader, 1 << 20)
    os.close(reader)
    assert octets.endswith(b"\n")
    assert octets.count(b"\n") == 1
    assert len(octets) <= select.PIPE_BUF
    if name == "json":
        assert json.loads(octets)["target"].startswith("/xxx")
    elif name in ("common", "combined"):
        assert re.search(rb'^192\.0\.2\.1 .* "GET /x+\.\.\." 200 -', octets)


def test_a_line_to_a_file_is_whole(tmp_path: Path, open_log: Open) -> None:
    file = tmp_path / "access.log"
    open_log(COMBINED, file)(LONG, 200, "", 0, 0)
    assert len(file.read_text()) > 8000 + 16000 + 32000


# ── served ───────────────────────────────────────────────────────────────────────────────────────

ECHO = """
def app(environ, start_response):
    content = environ["wsgi.input"].read()
    start_response(environ["PATH_INFO"][1:] + " X", [("Content-Type", "text/plain"), ("X-A", "b")])
    return [content[:2], content[2:]]
"""


def lines_of(file: Path, count: int) -> list[str]:
    wait_for(lambda: file.exists() and file.read_text().count("\n") >= count, f"{count} lines")
    lines = file.read_text().splitlines()
    assert len(lines) == count
    return lines


def test_every_answer_has_its_line(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    server = serve(
        ECHO, "--access-logfile", str(file), "--access-log", "%(h)s '%(r)s' %(s)s %(B)s %({x-a}o)s"
    )
    with server.connect() as client:
        client.send(b"POST /200 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        assert client.response().content == b"hello"
        client.send(b"GET /204 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /200 HTTP/1.1\r\nHost: a\r\n\r\n")
        client.response()
        client.response("HEAD")
        client.send(b"no request\r\n\r\n")
        assert client.response().status == 400
        client.closed()
    assert server.exchange(b"\x16\x03\x01").startswith(b"HTTP/1.1 400 ")
    assert server.exchange(b"PUT /x HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert server.exchange(
        b"PUT /y HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nx\r\n"
    ).startswith(b"HTTP/1.1 400 ")
    found = lines_of(file, 7)
    assert found[:3] == [
        "127.0.0.1 'POST /200 HTTP/1.1' 200 5 b",
        "127.0.0.1 'GET /204 HTTP/1.1' 204 0 b",
        "127.0.0.1 'HEAD /200 HTTP/1.1' 200 0 b",
    ]
    assert found[3:] == [
        "127.0.0.1 'no request' 400 16 -",
        "127.0.0.1 '-' 400 16 -",
        "127.0.0.1 'PUT /x HTTP/1.1' 400 16 -",
        "192.0.2.7 'PUT /y HTTP/1.1' 400 16 -",
    ]


def test_an_application_that_fails_is_logged_with_500_and_the_name_of_its_request(
    serve: Serve, tmp_path: Path
) -> None:
    file = tmp_path / "access.log"
    server = serve(
        "def app(*_): raise ValueError('first\\n2025-01-01 00:00:00 +0000 [1] INFO second')",
        "--access-log", "json", "--access-logfile", str(file),
    )  # fmt: skip
    assert server.get("/", "X-Request-ID: proxy-1").status == 500
    entry = json.loads(lines_of(file, 1)[0])
    assert (entry["status"], entry["request_id"]) == (500, "proxy-1")
    server.wait_for_log(r"\[\d+ proxy-1\] ERROR ValueError while handling GET")
    server.wait_for_log("second")
    assert not re.search(r"(?m)^2025-01-01", server.log)


def test_a_forged_line_in_a_request_stays_in_its_own(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    server = serve(ECHO, "--access-logfile", str(file))
    server.get('/200?"200-1', 'User-Agent: a" 200 1 "\\', "Referer: \xe9\x85")
    (found,) = lines_of(file, 1)
    assert found.endswith(r'"\xe9\x85" "a\" 200 1 \"\\"')
    assert r'"GET /200?\"200-1 HTTP/1.1" 200' in found


def test_usr1_opens_the_files_of_master_and_workers_again(serve: Serve, tmp_path: Path) -> None:
    file, errors = tmp_path / "access.log", tmp_path / "error.log"
    server = serve(ECHO, "--access-logfile", str(file), "--workers", "2")
    assert server.get("/200").status == 200
    lines_of(file, 1)
    file.rename(tmp_path / "moved")
    server.process.send_signal(signal.SIGUSR1)
    # Both workers have opened it once more when it is there and no line goes to the old one.
    wait_for(file.exists, "a new file")
    for count in range(1, 21):
        assert server.get("/200").status == 200
        wait_for(
            lambda count=count: sum(
                each.read_text().count("\n") for each in (file, tmp_path / "moved")
            ) == count + 1,
            "every line",
        )  # fmt: skip
    assert file.read_text()
    assert not errors.exists()


def test_lines_of_several_workers_do_not_mix(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    server = serve(ECHO, "--access-logfile", str(file), "--access-log", "json", "--workers", "2")
    targets = [f"/200?{number}{'x' * 5000}" for number in range(40)]

    def ask(part: list[str]) -> None:
        for target in part:
            assert server.get(target).status == 200

    threads = [threading.Thread(target=ask, args=(targets[first::4],)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = [json.loads(each) for each in lines_of(file, len(targets))]
    assert sorted(entry["target"] for entry in entries) == sorted(targets)
