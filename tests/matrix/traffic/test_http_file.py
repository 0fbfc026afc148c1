"""``.http`` files: the dialects of REST Client and JetBrains, and what is refused with its line."""

from __future__ import annotations

import base64
import json

import h11
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wsgi_matrix.probe.agent.session import octets
from wsgi_matrix.traffic import http_file
from wsgi_matrix.traffic.variables import Given


@pytest.fixture
def read(tmp_path):
    """`read(text)` → the session of a file in an empty folder."""

    def session(text, **given):
        return http_file.read(text, "a.http", tmp_path, Given(**given))

    return session


@pytest.fixture
def one(read):
    """`one(text)` → the only request of a file."""

    def ask(text, **given):
        [found] = read(text, **given).asks
        return found

    return ask


def basic(words):
    return "Basic " + base64.b64encode(words.encode()).decode()


# Request lines


@pytest.mark.parametrize(
    ("line", "method", "target", "host"),
    [
        ("GET localhost:8080/users", "GET", "/users", "localhost:8080"),
        ("localhost:8080/users?a=b", "GET", "/users?a=b", "localhost:8080"),
        ("GET localhost/users", "GET", "/users", "localhost"),
        ("GET example.org", "GET", "/", "example.org"),
        ("GET example.org?a=b", "GET", "/?a=b", "example.org"),
        ("GET web:8000", "GET", "/", "web:8000"),
        ("GET [::1]:8000/a", "GET", "/a", "[::1]:8000"),
        ("GET 127.0.0.1/a", "GET", "/a", "127.0.0.1"),
        ("GET HTTP://Example.ORG:80/A", "GET", "/A", "example.org"),
        ("GET https://example.org:443/A", "GET", "/A", "example.org"),
        ("GET https://example.org:8443/A", "GET", "/A", "example.org:8443"),
        ("GET http://bücher.example/", "GET", "/", "xn--bcher-kva.example"),
        ("get /users", "GET", "/users", "localhost"),
        ("Post /users HTTP/1.1", "POST", "/users", "localhost"),
        ("PURGE /users", "PURGE", "/users", "localhost"),
        ("GET\t/users", "GET", "/users", "localhost"),
        ("OPTIONS * HTTP/1.1\nHost: http://example.org:8080", "OPTIONS", "*", "example.org:8080"),
        ("GET /search?q=two words HTTP/1.1", "GET", "/search?q=two%20words", "localhost"),
        ("/two words", "GET", "/two%20words", "localhost"),
        ("GET /a HTTP/2", "GET", "/a", "localhost"),
        ("GET http://127.0.0.1/\nHost: shop.example", "GET", "/", "shop.example"),
    ],
)
def test_request_lines(one, line, method, target, host):
    ask = one(line + "\n")
    assert (ask.method, ask.target, ask.host) == (method, target, host)


@pytest.mark.parametrize(
    "text",
    [
        "GET /a\n?b=1\n&c=2\nAccept: x/y",
        "GET /a HTTP/1.1\n  ?b=1\n  &c=2\nAccept: x/y",
        "GET /a?b=1\n    &c=2 HTTP/1.1\n  Accept: x/y",
        "GET\n".strip() + " http://localhost\n    /a\n    ?b=1\n    &c=2\nAccept: x/y",
        "GET /a\n# a comment\n  ?b=1\n// one more\n&c=2\n# Accept: text/html\nAccept: x/y",
    ],
)
def test_a_url_over_several_lines_and_indented_fields(one, text):
    ask = one(text)
    assert ask.target == "/a?b=1&c=2"
    assert ask.fields == (("Accept", "x/y"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GET users/1", "line 1: expected a path that begins with /, or a URL with its host"),
        ("GET", "line 1: expected a request such as"),
        ("fetch /users", "line 1: expected a request such as"),
        ("import other.http", "line 1: expected a request such as"),
        ("GET *", "line 1: the target * is only valid for OPTIONS"),
        ("GET ftp://example.org/", "line 1: expected http: or https:, not ftp:"),
        ("GET http://exa mple.org/", "line 1: 'exa mple.org' is not a valid host"),
        ("GET http://[::1/", "line 1: "),
        ("GET http://a:port/", "line 1: "),
        ("GET /a\n  users:batch", "line 2: 'users:batch' is either a field"),
        ("GET /a\nAuthorization Bearer x", "line 2: expected a field such as"),
        ("GET /a\nAccept: a\nX Y: z", "line 3: 'X Y' is not a valid field name"),
        ("GET /a\nAccept: a\n: z", "line 3: expected a field such as"),
        ("GET /a\nX-Ü: z", "line 2: 'X-Ü' is not a valid field name"),
        ("GET /a\nX: a\x01b", "line 2: 'a\\x01b' is not a valid value of the field X"),
        ("GET /a\nAuthorization: AWS key secret", "line 2: signatures by the scheme AWS"),
        ("\n\nPOST /a\n\n{{\n  exports.x = 1;\n}}", "line 5: an httpYac script"),
        ("{{\n  exports.x = 1;\n}}\nGET /", "line 1: an httpYac script"),
        ("\nPOST /a\n\nfine\n{{nothing}}", "line 5: no variable {{nothing}}"),
        ("GET /\n###\nPOST /\nX-Request-Type: GraphQL\n", "line 3: a GraphQL request without"),
    ],
)
def test_what_is_no_request_is_refused_with_its_line(read, text, expected):
    with pytest.raises(http_file.LineError) as problem:
        read(text)
    assert expected in str(problem.value)


# Comments


def test_comments_are_no_fields_and_no_content(one):
    ask = one(
        "# before\nPOST /\n# Authorization: Bearer x\nContent-Type: application/json\n"
        '  // X-Old: 1\nX-New: 2\n\n{\n  # about a\n  "a": 1,\n// "b": 2,\n  "c": "# no"\n}\n'
    )
    assert ask.fields == (("Content-Type", "application/json"), ("X-New", "2"))
    assert json.loads(ask.body) == {"a": 1, "c": "# no"}


def test_a_body_of_comments_alone_is_none(one):
    assert one("POST /\n\n# nothing\n\n").body is None


def test_a_value_over_several_lines(one):
    ask = one("GET /\nCookie: a=b;\n  c=d\nAccept : x/y\n")
    assert ask.fields == (("Cookie", "a=b; c=d"), ("Accept", "x/y"))


def test_characters_that_only_python_takes_for_line_ends_stay(one):
    assert one("POST /\n\na\u2028b\x0cc\x85d\r\ne").body == "a\u2028b\x0cc\x85d\ne".encode()


# Bodies


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/mixed", "Multipart/Related"])
def test_parts_are_told_apart_by_crlf_and_files_stay_as_they_are(one, tmp_path, kind):
    (tmp_path / "a.bin").write_bytes(b"1\n2\r\n\x00")
    ask = one(
        f"POST /\nContent-Type: {kind}; boundary=B\n\n"
        '--B\nContent-Disposition: form-data; name="a"\n\ntwo\nlines\n'
        '--B\nContent-Disposition: form-data; name="f"; filename="a.bin"\n\n< ./a.bin\n--B--\n'
    )
    assert ask.body == (
        b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\ntwo\r\nlines\r\n'
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\n\r\n'
        b"1\n2\r\n\x00\r\n--B--"
    )


def test_other_bodies_keep_their_line_ends(one):
    assert one("POST /\nContent-Type: text/plain\n\na\nb\n").body == b"a\nb"
    assert one("POST /\nContent-Type: application/x-ndjson\n\n1\n2\n").body == b"1\n2\n"


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("name=foo\n&password=bar", b"name=foo&password=bar"),
        ("key1 = one &\nkey2 = two words &\nkey3=ü", b"key1=one&key2=two%20words&key3=%C3%BC"),
        ("a=b c+d%20e", b"a=b%20c+d%20e"),
    ],
)
def test_forms(one, written, sent):
    form = "Content-Type: application/x-www-form-urlencoded"
    assert one(f"POST /\n{form}\n\n{written}\n").body == sent


def test_a_file_in_another_encoding(one, tmp_path):
    (tmp_path / "a.txt").write_bytes("ü {{x}}".encode("latin-1"))
    assert one("@x = 1\nPOST /\n\n<@latin1 ./a.txt").body == "ü 1".encode()


# Credentials


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("Basic ann secret", basic("ann:secret")),
        ("basic ann two words", basic("ann:two words")),
        ("Basic ann:secret", basic("ann:secret")),
        ("Basic ann:a:b", basic("ann:a:b")),
        ("Basic {{user}} {{pass}}", basic("ü:s3c")),
        (basic("ann:secret"), basic("ann:secret")),
        ("Bearer abc", "Bearer abc"),
        ("Bearer {{$processEnv TRY_TOKEN}}", "Bearer t0k"),
        ('Digest username="a", realm="b"', 'Digest username="a", realm="b"'),
    ],
)
def test_credentials(one, monkeypatch, written, sent):
    monkeypatch.setenv("TRY_TOKEN", "t0k")
    ask = one(f"@user = ü\n@pass = s3c\nGET /\nAuthorization: {written}\n")
    assert ask.fields == (("Authorization", sent),)
    assert ask.digest is None


def test_a_user_in_the_url_is_a_credential_and_no_host(one):
    ask = one("GET http://ann:s%20c@example.org:8000/a")
    assert ask.host == "example.org:8000"
    assert ask.fields == (("Authorization", basic("ann:s c")),)


def test_digest_waits_for_the_challenge(one):
    ask = one("GET /\nAuthorization: Digest ann secret\nAccept: x/y")
    assert ask.digest == ("ann", "secret")
    assert ask.fields == (("Accept", "x/y"),)


# Other protocols, other tools


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("WEBSOCKET ws://localhost/ws\n\n{}\n===\n{}", "a WebSocket"),
        ("GET wss://localhost/ws", "a WebSocket"),
        ("GET /ws\nConnection: Upgrade\nUpgrade: websocket", "a WebSocket"),
        ("GRPC localhost:8080/a.B/C\n\n{}", "not a request to a WSGI app"),
        ("RSOCKET localhost:8080/a", "not a request to a WSGI app"),
        ("GET http://a/\n### \nHTTP/1.1 200 OK\nServer: x\n\n{}", "it is a response"),
    ],
)
def test_another_protocol_is_a_note_with_its_line(read, text, reason):
    session = read(f"GET /first\n\n###\n\n{text}\n\n###\nGET /last\n")
    assert [ask.target for ask in session.asks][:: len(session.asks) - 1] == ["/first", "/last"]
    [note] = session.notes
    assert note.startswith(f"a.http:{7 if 'HTTP/1.1 200' in text else 5}: not sent: {reason}")


def test_the_same_note_on_many_lines_is_one(read):
    session = read("GET /\nTransfer-Encoding: chunked\n\n###\n" * 7)
    assert session.notes == (
        "a.http: Transfer-Encoding is not sent, because the body is sent with its length "
        "(lines 2, 6, 10, 14, 18 and 2 more)",
    )


def test_graphql_of_both_dialects(read):
    query = "query Heroes($n: Int) {\n  heroes(n: $n) {\n\n    name\n  }\n}"
    session = read(
        f'GRAPHQL http://a.example/graphql\n\n{query}\n\n{{"n": {{{{made.response.body.n}}}}}}\n'
        f'\n###\n# @name made\nPOST /graphql\nX-REQUEST-TYPE: GraphQL\n\n{query}\n\n{{"n": 3}}\n'
        "\n###\nPOST /graphql\nX-Request-Type: GraphQL\nContent-Type: application/json; a=b\n\n"
        "mutation { go }\n"
    )
    one, two, three = session.asks
    assert (one.method, one.target, one.host) == ("POST", "/graphql", "a.example")
    assert one.fields == two.fields == (("Content-Type", "application/json"),)
    assert three.fields == (("Content-Type", "application/json; a=b"),)
    assert one.body.endswith(b'"variables": {"n": {{made.n}}}}')
    assert json.loads(two.body) == {
        "query": query,
        "operationName": "Heroes",
        "variables": {"n": 3},
    }
    assert json.loads(three.body) == {"query": "mutation { go }", "variables": {}}


def test_curl_commands(one, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"x\ny")
    ask = one(
        "@host = http://localhost:8000\n"
        "curl -sSL -XPUT '{{host}}/a b?c=d' \\\n  -H 'Accept: x/y' --header='X: 1' \\\n"
        "  -u ann:secret -b a=b --compressed \\\n  -d '{\n  \"a\": 1\n}' --data-binary @a.txt"
    )
    assert (ask.method, ask.target, ask.host) == ("PUT", "/a%20b?c=d", "localhost:8000")
    assert ask.body == b'{\n  "a": 1\n}&x\ny'
    assert dict(ask.fields) == {
        "Accept": "x/y",
        "X": "1",
        "Authorization": basic("ann:secret"),
        "Accept-Encoding": "deflate, gzip",
        "Cookie": "a=b",
        "Content-Type": "application/x-www-form-urlencoded",
    }


@pytest.mark.parametrize(
    ("command", "method", "target", "body"),
    [
        ("curl localhost:80/a", "GET", "/a", None),
        ("$ curl -I http://localhost/a", "HEAD", "/a", None),
        ("curl http://localhost/a -d x=1 -d @f", "POST", "/a", b"x=1&12"),
        ("curl -G http://localhost/a -d x=1 --data-urlencode 'q=a b'", "GET", "/a?x=1&q=a+b", None),
        ("curl --json '{}' http://localhost/a", "POST", "/a", b"{}"),
    ],
)
def test_what_curl_makes_of_its_options(one, tmp_path, command, method, target, body):
    (tmp_path / "f").write_bytes(b"1\n2\n")
    ask = one(command)
    assert (ask.method, ask.target, ask.body) == (method, target, body)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("curl -F a=b http://localhost/", "-F"),
        ("curl http://localhost/ | jq .", "expected one URL"),
        ("curl -s", "expected one URL"),
        ("curl 'http://localhost/", "No closing quotation"),
        ("curl -H 'X' http://localhost/", "a field such as"),
        ("curl -b jar.txt http://localhost/", "cookie files are not"),
        ("curl -d @nowhere http://localhost/", "nowhere"),
    ],
)
def test_a_curl_command_that_is_not_known_is_refused(read, command, expected):
    with pytest.raises(http_file.LineError) as problem:
        read("\n" + command)
    assert str(problem.value).startswith("line 2: curl: ")
    assert expected in str(problem.value)


# Scripts and directives


def test_scripts_are_passed_over_and_what_they_capture_is_taken(read):
    session = read(
        "### Log in\n< {%\n  request.variables.set('now', Date.now())\n%}\n# @no-cookie-jar\n"
        "POST /login\n\n{}\n\n> {%\n  client.test('x', () => {});\n"
        '  client.global.set("token", response.body.data["a"][0].token);\n'
        '  client.global.set("at", response.headers.valueOf("Location"));\n%}\n'
        "\n### Next\nGET {{at}}\nAuthorization: Bearer {{token}}\n\n<> kept.200.json\n"
    )
    login, after = session.asks
    assert login.body == b"{}"
    assert not login.cookies
    assert after.cookies
    assert [(each.name, each.kind, each.where) for each in login.captures] == [
        ("token", "json", "$.data['a'][0].token"),
        ("at", "header", "Location"),
    ]
    assert after.target == "{{at}}"
    assert after.fields == (("Authorization", "Bearer {{token}}"),)
    assert session.notes == (
        "a.http: scripts are not run (lines 2); their captures are used: "
        "token = json:$.data['a'][0].token (line 12), at = header:Location (line 13)",
    )


def test_an_environment_wins_over_what_a_script_keeps(read, tmp_path):
    (tmp_path / "http-client.env.json").write_text('{"dev": {"id": 7}}')
    text = "GET /\n\n> {% client.global.set('id', response.body.id) %}\n###\nGET /{{id}}"
    assert read(text).asks[1].target == "/{{id}}"
    session = read(text, http_env="dev")
    assert (session.asks[0].captures, session.asks[1].target) == ((), "/7")


def test_a_quoted_line_is_no_script(one):
    assert one("POST /\n\n> quoted\n>> too\n").body is not None


def test_what_only_a_script_or_a_person_knows_is_told(read):
    with pytest.raises(http_file.LineError, match="line 1 requires it"):
        read("# @prompt otp The code\nGET /{{otp}}")
    script = "GET /\n\n> {% client.global.set('sum', 1 + 1) %}\n###\nGET /{{sum}}"
    with pytest.raises(http_file.LineError, match="script in line 3 sets it"):
        read(script)
    with pytest.raises(http_file.LineError, match=r"@host = … at the top .*--var host=…"):
        read("GET {{host}}/")


def test_the_whole_answer_and_names_of_both_dialects(read):
    first, second, third = read(
        "### one\nGET /\n###\n// @name two\nGET /\n### @name three\n"
        "POST /?{{two.response.headers.X-A}}\n\n{{one.response.body.*}}"
    ).asks
    assert [(each.kind, each.where) for each in first.captures] == [("regex", r"(?s)\A(.*)\Z")]
    assert [(each.kind, each.where) for each in second.captures] == [("header", "X-A")]
    assert third.target == "/?{{two.X-A}}"
    with pytest.raises(http_file.LineError, match=r"line 4: .*XPath"):
        read("# @name a\nGET /\n###\nGET /{{a.response.body.//id}}")


def test_a_title_gives_way_to_a_name(read):
    asks = read(
        "# @name = a\nGET /1\n### a\nGET /2\n### b\nGET /3\n###\n# @name b\nGET /4\n"
        "###\nGET /{{a.response.body.x}}/{{b.response.body.x}}"
    ).asks
    assert [ask.target for ask in asks if ask.captures] == ["/1", "/4"]


PIECES = (
    *("GET ", "get ", "POST /a", "/", "*", "OPTIONS", "localhost:80", "http://u:p@h:1/", "{{"),
    *("}}", "{{x}}", "{{$guid}}", "@x = 1", "\n", "\n\n", "\r\n", "\r", "###", "# ", " ", "\t"),
    *("// @name a", "Accept: x", "  Y", "X-Ü: ", "Host: ", "Host: a b", ": ", "Content-Length: 9"),
    *("curl ", "-H '", "'", "Authorization: Basic a b", "Authorization: Digest a b"),
    *("Transfer-Encoding: chunked", "Content-Type: multipart/form-data", "< f", "> {%", "%}"),
    *("X-Request-Type: GraphQL", "?a=b", "&c", "\x00", "\x0b", "\u2028", "ü", "HTTP/1.1"),
    *("GRAPHQL ", "WEBSOCKET ", "-d a=b", "\\\n", "# @capture x = regex:(.)"),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_whatever_a_file_says_a_request_is_sent_or_refused_with_its_line(read, text):
    """h11 reads what is sent as one request, with the method, target and fields that were meant."""
    try:
        asks = read(text).asks
    except http_file.LineError:  # which cannot be made without its line
        return
    for ask in asks:
        sent = octets(ask.method, ask.target, ask.host, list(ask.fields), ask.body)
        reader = h11.Connection(h11.SERVER)
        reader.receive_data(sent)
        head = reader.next_event()
        assert (head.method, head.target) == (ask.method.encode(), ask.target.encode())
        names = [name for name, _ in head.headers if name not in (b"host", b"content-length")]
        assert names == [name.lower().encode() for name, _ in ask.fields]
        body = b""
        while isinstance(event := reader.next_event(), h11.Data):
            body += event.data
        assert isinstance(event, h11.EndOfMessage)
        assert body == (ask.body or b"")
        assert reader.trailing_data == (b"", False)


def test_a_variable_that_is_defined_again_is_told(read):
    session = read("@a = 1\nGET /{{a}}\n###\n@a = 2\nGET /{{a}}")
    assert [ask.target for ask in session.asks] == ["/2", "/2"]
    assert session.notes == ("a.http:4: @a is redefined, and this value is used in the whole file",)
