"""OpenAPI documents: how values are written, and documents in several files."""

from __future__ import annotations

import json

import pytest
import yaml
from wsgi_matrix.errors import UserError
from wsgi_matrix.traffic import json_references, openapi
from wsgi_matrix.traffic.load import ForAll, load


def target(*parameters, path="/p", version="3.1.0", **more):
    document = {"paths": {path: {"get": {"parameters": list(parameters)}}}, **more}
    document["swagger" if version == "2.0" else "openapi"] = version
    [ask] = openapi.read(document, "a").asks
    return ask


def parameter(place="query", example=None, **more):
    return {"name": "n", "in": place, "required": True, "schema": {}, "example": example, **more}


LIST, OBJECT = ["a", "b c"], {"x": 1, "y": "é"}


@pytest.mark.parametrize(
    ("style", "explode", "value", "written"),
    [
        (None, None, LIST, "n=a&n=b%20c"),
        ("form", False, LIST, "n=a,b%20c"),
        ("form", None, OBJECT, "x=1&y=%C3%A9"),
        ("form", False, OBJECT, "n=x,1,y,%C3%A9"),
        ("spaceDelimited", False, LIST, "n=a%20b%20c"),
        ("pipeDelimited", False, LIST, "n=a%7Cb%20c"),
        ("pipeDelimited", True, LIST, "n=a&n=b%20c"),
        ("deepObject", True, OBJECT, "n%5Bx%5D=1&n%5By%5D=%C3%A9"),
        (None, None, "", "n="),
        (None, None, True, "n=true"),
        (None, None, "a&b=/c", "n=a%26b%3D%2Fc"),
    ],
)
def test_styles_of_a_query(style, explode, value, written):
    told = {"style": style, "explode": explode}
    told = {name: each for name, each in told.items() if each is not None}
    assert target(parameter(example=value, **told)).target == f"/p?{written}"


@pytest.mark.parametrize(
    ("style", "explode", "value", "written"),
    [
        ("simple", False, LIST, "a,b%20c"),
        ("simple", True, OBJECT, "x=1,y=%C3%A9"),
        ("label", False, LIST, ".a,b%20c"),
        ("label", True, LIST, ".a.b%20c"),
        ("label", True, OBJECT, ".x=1.y=%C3%A9"),
        ("matrix", False, LIST, ";n=a,b%20c"),
        ("matrix", True, LIST, ";n=a;n=b%20c"),
        ("matrix", True, OBJECT, ";x=1;y=%C3%A9"),
        ("matrix", False, "", ";n"),
    ],
)
def test_styles_of_a_path(style, explode, value, written):
    told = parameter("path", value, style=style, explode=explode)
    assert target(told, path="/p/{n}").target == f"/p/{written}"


def test_headers_and_cookies():
    ask = target(
        parameter("header", LIST),
        {**parameter("header", OBJECT, explode=True), "name": "o"},
        {**parameter("header", "no"), "name": "Authorization"},
        {**parameter("header", "no"), "name": "Host"},
        parameter("cookie", "a;b"),
        {**parameter("cookie", [1, 2], explode=False), "name": "m"},
    )
    assert ask.fields == (("n", "a,b c"), ("o", "x=1,y=é"), ("Cookie", "n=a%3Bb; m=1,2"))


def test_reserved_characters_may_stand_and_content_is_json():
    assert target(parameter(example="/a?b#c&d", allowReserved=True)).target == "/p?n=/a?b%23c%26d"
    content = {"application/json": {"example": {"a": 1}}}
    told = {"name": "n", "in": "query", "required": True, "content": content}
    assert target(told).target == "/p?n=%7B%22a%22%3A%201%7D"


@pytest.mark.parametrize(
    ("told", "written"),
    [
        ({"type": "array", "items": {"enum": ["x", "y"]}}, "x"),
        ({"type": "array", "items": {"type": "string", "example": "e"}}, "e"),
        ({"allOf": [{"type": "integer", "minimum": 3}]}, "3"),
        ({"type": ["null", "boolean"]}, "true"),
        ({"const": "c"}, "c"),
        ({"type": "string", "format": "date"}, "2025-11-24"),
    ],
)
def test_values_of_a_schema(told, written):
    assert target({**_without(parameter()), "schema": told}).target == f"/p?n={written}"


def _without(told):
    return {name: each for name, each in told.items() if name != "example"}


@pytest.mark.parametrize(
    ("collection", "written"),
    [
        (None, "n=a,b%20c"),
        ("csv", "n=a,b%20c"),
        ("ssv", "n=a%20b%20c"),
        ("tsv", "n=a%09b%20c"),
        ("pipes", "n=a%7Cb%20c"),
        ("multi", "n=a&n=b%20c"),
    ],
)
def test_formats_of_swagger_2(collection, written):
    told = {"name": "n", "in": "query", "type": "array", "default": LIST}
    if collection:
        told["collectionFormat"] = collection
    assert target(told, version="2.0").target == f"/p?{written}"


def test_a_style_that_is_none():
    with pytest.raises(ValueError, match=r'paths\./p\.get: unknown style "wide"'):
        target(parameter(style="wide"))


def test_servers_of_a_path_and_of_an_operation():
    servers = [{"url": "https://a.example/base"}]
    own = [{"url": "http://x/{v}", "variables": {"v": {"default": "op"}}}]
    document = {
        "openapi": "3.1.0",
        "servers": servers,
        "paths": {
            "x-note": "no path",
            "/a": {"get": {}},
            "/b": {"get": {}, "servers": [{"url": "/item/"}]},
            "/c": {"get": {"servers": own}},
        },
    }
    found = [ask.target for ask in openapi.read(document, "a").asks]
    assert found == ["/base/a", "/item/b", "/op/c"]


def test_a_document_in_several_files(tmp_path):
    (tmp_path / "paths").mkdir()
    (tmp_path / "api.yaml").write_text(
        "openapi: 3.1.0\npaths:\n  /pets/{id}:\n    $ref: paths/pets.yaml#/one~1pet\n"
        "  /all:\n    $ref: ./paths/all%20pets.json\n"
    )
    (tmp_path / "paths" / "pets.yaml").write_text(
        "one/pet:\n  get:\n    parameters:\n      - $ref: ../common.yml#/list/0\n"
        "      - $ref: '#/since'\nsince: {name: since, in: query, example: 2024-01-02T03:04:05Z}\n"
    )
    (tmp_path / "paths" / "all pets.json").write_text('{"get": {}}')
    (tmp_path / "common.yml").write_text("list: [{name: id, in: path, example: 7}]\n")
    [session] = load(["api.yaml"], root=tmp_path)
    found = [ask.target for ask in session.asks]
    assert found == ["/pets/7?since=2024-01-02T03%3A04%3A05Z", "/all"]


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("nowhere.yaml", r"paths\./a: nowhere\.yaml: No such file"),
        ("bad.yaml", r"paths\./a: bad\.yaml: invalid YAML"),
        ("other.yaml#/nowhere", r"other\.yaml#/nowhere does not exist"),
        ("https://a.example/b.yaml", "nothing is fetched"),
        ("other.yaml", "circular references"),
    ],
)
def test_references_to_files_that_are_wrong(tmp_path, reference, expected):
    (tmp_path / "bad.yaml").write_text("a: [")
    (tmp_path / "other.yaml").write_text("$ref: other.yaml\n")
    (tmp_path / "a.yaml").write_text(
        json.dumps({"openapi": "3.1.0", "paths": {"/a": {"$ref": reference}}})
    )
    with pytest.raises(UserError, match=expected):
        load(["a.yaml"], root=tmp_path)


def test_credentials_that_a_document_wants_are_told_unless_they_are_sent(tmp_path):
    document = {
        "openapi": "3.1.0",
        "security": [{"token": []}],
        "paths": {"/a": {"get": {}}, "/b": {"get": {"security": []}}},
    }
    (tmp_path / "a.json").write_text(json.dumps(document))
    [session] = load(["a.json"], root=tmp_path)
    assert session.notes == (
        "a.json: credentials are required (token): send them with --header 'Authorization: …'",
    )
    [session] = load(["a.json"], root=tmp_path, to_all=ForAll(headers=["Authorization: x"]))
    assert session.notes == ()


def test_however_many_values_are_made_up_is_one_note():
    made_up = {"name": "id", "in": "path"}
    given = {"name": "at", "in": "query", "example": 1}
    paths = {f"/{n}/{{id}}": {"get": {"parameters": [made_up, given]}} for n in range(40)}
    assert openapi.read({"openapi": "3.1.0", "paths": paths}, "api.yaml").notes == (
        "api.yaml: 40 parameters have no example, their values are generated: id of /0/{id}, "
        "id of /1/{id}, id of /2/{id}, id of /3/{id}, id of /4/{id} and 35 more",
    )


def test_yaml_is_read_by_the_fast_loader_where_it_is_there():
    assert not hasattr(yaml, "CSafeLoader") or issubclass(
        json_references._loader(), yaml.CSafeLoader
    )


def test_aliases_are_not_multiplied(tmp_path):
    """Nine of them in each of nine lines would be a document of gigabytes."""
    lines = [f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 9)}]" for i in range(1, 10)]
    text = "openapi: 3.1.0\npaths:\n  /a: &a\n    get: {}\n  /b: *a\n"
    (tmp_path / "api.yaml").write_text("\n".join([text + "x0: &x0 [1]", *lines]))
    [session] = load(["api.yaml"], root=tmp_path)
    assert [ask.target for ask in session.asks] == ["/a", "/b"]
