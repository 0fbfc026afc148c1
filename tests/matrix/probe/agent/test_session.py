"""The probe's sessions over real connections: challenges, cookies, captured values."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from wsgi_matrix.model.http_session import Ask, Capture
from wsgi_matrix.probe.agent import digest_auth
from wsgi_matrix.probe.agent.session import Session

NONCE, REALM = "n/0+=", 'a "realm"'


def app(environ, start_response):
    """Asks for Digest at ``/in``, sets a cookie at ``/set``, and says what it was sent."""
    path, given = environ["PATH_INFO"], environ.get("HTTP_AUTHORIZATION", "")
    fields = [("Content-Type", "text/plain"), ("X-Bad", "a b"), ("Location", "http://x/next?a=b")]
    status = "200 OK"
    if path == "/set":
        fields.append(("Set-Cookie", "seen=1"))
    if path.startswith("/in") and not right(environ, given):
        status = "401 Unauthorized"
        quoted = REALM.replace('"', '\\"')
        challenge = (
            f'Digest realm="{quoted}", nonce="{NONCE}", qop="auth-int, auth", algorithm=SHA-256'
        )
        fields += [("WWW-Authenticate", 'Basic realm="x"'), ("WWW-Authenticate", challenge)]
    start_response(status, fields)
    return [f"{path} {environ.get('HTTP_COOKIE', '')}\nline {given[:6]}".encode()]


def right(environ, given):
    """RFC 7616 section 3.4.1, worked out by the server."""
    told = {
        name: quoted or plain
        for name, quoted, plain in re.findall(r'(\w+)=(?:"((?:\\.|[^"])*)"|(\w[\w-]*))', given)
    }

    def sha(*parts):
        return hashlib.sha256(":".join(parts).encode()).hexdigest()

    first = sha("ann", REALM, "s3:c")
    second = sha(environ["REQUEST_METHOD"], environ["PATH_INFO"] + "?" + environ["QUERY_STRING"])
    made = sha(first, NONCE, told.get("nc", ""), told.get("cnonce", ""), "auth", second)
    return told.get("response") == made and told["uri"] == "/in?a=b"


@pytest.fixture
def run():
    """`run(Ask, …)` → the answers, or why there is none."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_):
            pass

    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()

        def talk(*asks):
            session = Session("127.0.0.1", server.server_port, (30.0, 30.0), 2**20)
            found = session.run([ask.to_json() for ask in asks], time.monotonic() + 300)
            return [
                result.error or result.response.split(b" ", 2)[1].decode() + " " + text(result)
                for _, result in found
            ]

        yield talk
        server.shutdown()
        thread.join(120)


def text(result):
    return result.response.partition(b"\r\n\r\n")[2].decode()


def test_digest_answers_the_challenge(run):
    asks = [
        Ask(target="/in?a=b", digest=("ann", "s3:c")),
        Ask(target="/in?a=b", digest=("ann", "wrong")),
        Ask(target="/in?a=b"),
        Ask(target="/out", digest=("ann", "s3:c")),
    ]
    assert run(*asks) == [
        "200 /in \nline Digest",
        "401 /in \nline Digest",
        "401 /in \nline ",
        "200 /out \nline ",
    ]


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_the_standard(monkeypatch, algorithm, response):
    """RFC 7616 section 3.9.1."""
    nonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    monkeypatch.setattr(digest_auth, "CLIENT_NONCE", nonce)
    head = (
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest\r\n"
        f'WWW-Authenticate: Digest realm="http-auth@example.org", qop="auth, auth-int", '
        f'algorithm={algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"\r\n\r\n'
    )
    made = digest_auth.response("Mufasa", "Circle of Life", "GET", "/dir/index.html", head.encode())
    assert f'response="{response}"' in made
    assert digest_auth.response("a", "b", "GET", "/", b"HTTP/1.1 401 x\r\n\r\n") is None


def test_a_request_without_cookies(run):
    asks = [Ask(target="/set", cookies=False), Ask(target="/a"), Ask(target="/set")]
    asks += [Ask(target="/b", cookies=False), Ask(target="/c")]
    assert [each.split("\n")[0] for each in run(*asks)] == [
        "200 /set ",
        "200 /a ",
        "200 /set ",
        "200 /b ",
        "200 /c seen=1",
    ]


def test_what_was_captured_makes_no_other_request(run):
    body = Capture(name="body", kind="regex", where=r"(?s)(.*)")
    bad = Capture(name="bad", kind="header", where="X-Bad")
    next_ = Capture(name="next", kind="header", where="Location")
    asks = [
        Ask(target="/a", captures=(body, bad, next_)),
        Ask(target="/b", fields=(("X", "{{body}}"),)),
        Ask(target="{{bad}}"),
        Ask(target="/c/{{bad}}"),
        Ask(target="{{next}}"),
    ]
    assert [each.split("\n")[0] for each in run(*asks)] == [
        "200 /a ",
        "not sent: X would be '/a \\nline ', which is not a valid field value",
        "not sent: {{bad}} is 'a b', which is not a valid request target",
        "200 /c/a b ",
        "200 /next ",
    ]
