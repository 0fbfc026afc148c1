"""Traffic in each of its forms: what is sent of it, octet by octet, and what is not."""

from __future__ import annotations

import json

import pytest
from wsgi_matrix.errors import UserError
from wsgi_matrix.model.http_session import Capture
from wsgi_matrix.traffic import har, http_file, openapi, urls
from wsgi_matrix.traffic.load import ForAll, load


def read_http(text, tmp_path):
    return http_file.read(text, "a.http", tmp_path)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("/", "/"),
        ("/login?x=1", "/login?x=1"),
        ("/a b", "/a%20b"),
        ("/ü/?q=ä b", "/%C3%BC/?q=%C3%A4%20b"),
        ("/a%20b", "/a%20b"),
        ("/a#part", "/a"),
        ("/'\"`$;|<>\\", "/'%22%60$;%7C%3C%3E%5C"),
        ("https://example.org:8000/a?b#c", "/a?b"),
        ("https://example.org", "/"),
        ("/a\r\nX: y", "/a%0D%0AX:%20y"),
        ("/{{id}}/b", "/{{id}}/b"),
    ],
)
def test_a_target_is_encoded_as_browsers_do(written, sent):
    assert urls.target(written) == sent


def test_http_files_of_vs_code_and_jetbrains(tmp_path):
    (tmp_path / "body.json").write_bytes(b'{"from": "a file"}')
    session = read_http(
        """\
@host = https://example.org
@token = abc
// a comment

### Search, over several lines
GET {{host}}/search
    ?q=ü
    &page=2 HTTP/1.1
Accept: text/html
Authorization: Bearer {{token}}
Connection: keep-alive

### without a method
/plain

### with a body
# @name made
POST {{host}}/things
Content-Type: application/json
Content-Length: 999

{
  "id": "{{$guid}}",

  "### in it": 1
}

### from a file
PUT /file
Host: other.example

< ./body.json

> {% client.test("x") %}

### uses an answer
DELETE /things/{{made.response.body.$.id}}?at={{made.response.headers.Location}}
""",
        tmp_path,
    )
    search, plain, made, file, *rest = session.asks
    assert (search.method, search.target) == ("GET", "/search?q=%C3%BC&page=2")
    assert search.host == "example.org"
    assert search.fields == (("Accept", "text/html"), ("Authorization", "Bearer abc"))
    assert (plain.method, plain.target, plain.host) == ("GET", "/plain", "localhost")
    assert made.fields == (("Content-Type", "application/json"),)
    assert session.generated == (json.loads(made.body)["id"],)
    assert b'\n\n  "### in it"' in made.body
    assert [(each.kind, each.where) for each in made.captures] == [
        ("json", "$.id"),
        ("header", "Location"),
    ]
    assert (file.host, file.body) == ("other.example", b'{"from": "a file"}')
    assert rest[-1].target == "/things/{{made.id}}?at={{made.Location}}"
    assert rest[-1].source == "a.http:37"
    assert session.notes == ("a.http: scripts are not run (lines 34)",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GET /\nno field\n", "line 2: expected a field such as"),
        ("GET /\n\n< nowhere.json\n", "line 3: the body"),
        ("# @capture a\nGET /\n", "line 1: expected a capture such as"),
        ("# @capture a = regex:(\nGET /\n", "is not a regular expression"),
        ("@a = {{b}}\n@b = {{a}}\nGET /{{a}}\n", "circular variables"),
        ("@user = x\nGET /{{usr}}\n", 'did you mean "user"'),
    ],
)
def test_http_files_that_are_wrong_say_where(tmp_path, text, expected):
    with pytest.raises(ValueError, match="line") as problem:
        read_http(text, tmp_path)
    assert expected in str(problem.value)


def entry(url, method="GET", headers=(), response="", **post):
    request = {
        "method": method,
        "url": url,
        "headers": [{"name": n, "value": v} for n, v in headers],
    }
    if post:
        request["postData"] = post
    answer = {"status": 200, "headers": [], "content": {"text": response}}
    return {"request": request, "response": answer}


def test_a_har_is_sent_without_what_belongs_to_the_recording():
    headers = [
        (":authority", "shop.example"),
        ("Host", "shop.example"),
        ("Accept", "text/html"),
        ("Accept-Encoding", "br"),
        ("If-None-Match", '"x"'),
        ("Cookie", "a=1"),
        ("Content-Length", "3"),
    ]
    session = har.read(
        {
            "log": {
                "entries": [
                    entry("https://shop.example/ü?a=b c#x", headers=headers),
                    entry("https://cdn.example/lib.js"),
                    entry("wss://shop.example/live"),
                    entry("https://shop.example/up", "POST", mimeType="multipart/form-data"),
                    entry("https://shop.example/form", "POST", text="a=b"),
                    entry(
                        "https://shop.example/form", "POST", params=[{"name": "ä", "value": "1"}]
                    ),
                    entry("https://shop.example/raw", "PUT", text="AAE=", encoding="base64"),
                ]
            }
        },
        "a.har",
    )
    first, form, params, raw = session.asks
    assert (first.target, first.host) == ("/%C3%BC?a=b%20c", "shop.example")
    assert first.fields == (("Accept", "text/html"), ("Cookie", "a=1"))
    assert (form.body, params.body, raw.body) == (b"a=b", b"%C3%A4=1", b"\x00\x01")
    assert session.notes == (
        "a.har: 1 not sent, to cdn.example (--host cdn.example sends these)",
        "a.har: 1 not sent, to wss:",
        "a.har: 1 not sent, a multipart form that was recorded without its text",
    )


def test_a_recorded_token_becomes_the_one_of_the_cell():
    token = Capture(name="csrf", kind="regex", where='name="csrf" value="([^"]+)"')
    session = har.read(
        {
            "log": {
                "entries": [
                    entry("http://a/", response='<input name="csrf" value="s3cr+t/1">'),
                    entry("http://a/", "POST", text="user=x&csrf=s3cr%2Bt%2F1"),
                    entry("http://a/", "POST", [("X-CSRF", "s3cr+t/1")], text="{}"),
                ]
            }
        },
        "a.har",
        [token],
    )
    assert session.asks[1].body == b"user=x&csrf={{csrf}}"
    assert session.asks[2].fields == (("X-CSRF", "{{csrf}}"),)


OPENAPI = """
openapi: 3.1.0
servers: [{url: "https://api.example/{version}", variables: {version: {default: v2}}}]
paths:
  /pets/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {$ref: "#/components/schemas/Id"}}
    get:
      parameters:
        - {$ref: "#/components/parameters/Since"}
        - {name: tag, in: query, examples: {one: {value: [a, "b c"]}}}
        - {name: optional, in: query, schema: {type: string}}
        - {name: X-Trace, in: header, example: 7}
    delete: {}
  /pets:
    get:
      parameters: [{name: limit, in: query, required: true, schema: {type: integer, minimum: 5}}]
  /nothing:
    post: {}
components:
  parameters:
    Since: {name: since, in: query, schema: {type: string, format: date, default: 2025-01-02}}
  schemas:
    Id: {type: string, example: "a/b"}
"""


def test_the_get_operations_of_an_openapi_document(tmp_path):
    (tmp_path / "api.yaml").write_text(OPENAPI)
    [session] = load(["api.yaml"], root=tmp_path)
    one, many = session.asks
    assert one.target == "/v2/pets/a%2Fb?since=2025-01-02&tag=a&tag=b%20c"
    assert one.fields == (("X-Trace", "7"),)
    assert many.target == "/v2/pets?limit=5"
    assert session.notes == (
        "api.yaml: 1 parameter has no example, its value is generated: limit of /pets",
    )


def test_swagger_2_has_a_base_path():
    document = {"swagger": "2.0", "basePath": "/v1", "paths": {"/a": {"get": {}}}}
    assert openapi.read(document, "a").asks[0].target == "/v1/a"


@pytest.mark.parametrize(
    ("paths_", "expected"),
    [
        ({"/a": {"post": {}}}, "no GET operation"),
        ({"/a": {"$ref": "#/nowhere"}}, "does not exist"),
        ({"/a": {"$ref": "other.yaml"}}, "is not a file"),
        ({"/a": {"$ref": "#/paths/~1a"}}, "circular references"),
        ({"/a/{id}": {"get": {}}}, "no parameter with this name"),
        ({"/a": []}, "expected an object"),
    ],
)
def test_openapi_documents_that_are_wrong(paths_, expected):
    with pytest.raises(ValueError, match=expected):
        openapi.read({"openapi": "3.1.0", "paths": paths_}, "a")


def test_names_are_unique_and_safe_over_all_sessions(tmp_path):
    (tmp_path / "a.txt").write_text("# two\n/\n\n/ü $(x)\n")
    (tmp_path / "b.http").write_text("POST /\n")
    sessions = load(
        ["/", "a.txt", "b.http", "/"], root=tmp_path, to_all=ForAll(host="shop.example")
    )
    names = [ask.name for session in sessions for ask in session.asks]
    assert names == ["01-get", "02-get", "03-get", "04-get-c3-bc-20-x", "05-post"]
    assert {ask.host for session in sessions for ask in session.asks} == {"shop.example"}


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="a path of the app must begin with /"):
        load(["login"], root=tmp_path)
