"""What ``{{…}}`` stands for: options, environments, files, and values that a run makes."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime

import pytest
from wsgi_matrix.errors import UserError
from wsgi_matrix.traffic.dynamic_variables import NAMES, Dynamic
from wsgi_matrix.traffic.load import ForAll, load
from wsgi_matrix.traffic.variables import Given, Variables, parse

NOW = datetime(2024, 3, 31, 14, 5, 6, 789000, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    """A folder with what editors keep beside .http files, and one below it."""
    files = {
        "http-client.env.json": {
            "$shared": {"version": "v1", "host": "shared.example"},
            "dev": {"host": "dev.example", "port": 8000, "user": {"name": "ann"}, "no": None},
            "prod": {"host": "prod.example", "secret": "public"},
        },
        "http-client.private.env.json": {"dev": {"secret": "s3c", "host": "private.example"}},
        ".vscode/settings.json": {
            "rest-client.environmentVariables": {
                "$shared": {"mine": "shared", "deep": "{{$shared mine}}!"},
                "dev": {"own": "of settings", "key": "TRY_SECRET"},
            }
        },
    }
    for name, value in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        text = json.dumps(value, indent=1).replace("{\n", "{ // said // why\n /* , */", 1)
        (tmp_path / name).write_text(text.replace('"ann"\n', '"ann",\n'))
    (tmp_path / ".env").write_text("# x\nexport TOKEN='t0k'\nTRY_SECRET=dot\n")
    (tmp_path / "below").mkdir()
    return tmp_path / "below"


def fill(folder, text, own=(), **given):
    variables = Variables(folder, Given(**given))
    variables.own.update(own)
    return variables.fill(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{host}}:{{port}}", "dev.example:8000"),
        ("{{ version }}", "v1"),
        ("{{user.name}}", "ann"),
        ("{{secret}}", "s3c"),
        ("{{mine}} {{deep}}", "shared shared!"),
        ("{{own}}", "of the file"),
        ("{{%own}}", "of%20the%20file"),
        ("{{$dotenv TOKEN}}", "t0k"),
        ("{{$dotenv %key}}", "dot"),
        ("{{$processEnv TRY_SECRET}}", "process"),
        ("{{$processEnv %key}} {{$env.TRY_SECRET}}", "process process"),
        ("{{given}}", "{{host}}"),
    ],
)
def test_values_come_from_the_nearest_environment_and_the_file(folder, monkeypatch, text, value):
    monkeypatch.setenv("TRY_SECRET", "process")
    own = {"host": "file.example", "own": "of the file"}
    assert fill(folder, text, own, http_env="dev", var={"given": "{{host}}"}) == value


def test_an_option_wins_and_without_an_environment_what_is_shared_is_there(folder):
    assert fill(folder, "{{host}}", http_env="dev", var={"host": "x"}) == "x"
    assert fill(folder, "{{host}} {{version}}") == "shared.example v1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{nothing}}", "set it with @nothing = … at the top of the file, or --var nothing=…"),
        ("{{versio}}", 'did you mean "version"'),
        ("{{secret}}", "use an environment with it: --http-env dev or prod"),
        ("{{$dotenv TOKE}}", 'did you mean "TOKEN"'),
        ("{{$processEnv TRY_NOT_SET}}", "TRY_NOT_SET is not set; set it, or use --var"),
        (
            "{{login.response.body.$.id}}",
            "no request has the name login; set it with # @name login",
        ),
        ("{{$aadToken}}", "set it with --var '$aadToken=…'"),
        ("{{$datetime}}", "unknown form of $datetime"),
        ("{{$datetime iso8601 999999 y}}", "the time is out of range"),
        ("{{$randomInt 5 5}}", "unknown form of $randomInt"),
        ("{{$random.alphabetic(0)}}", "unknown form of $random.alphabetic"),
    ],
)
def test_what_has_no_value_says_what_to_do(folder, monkeypatch, text, expected):
    monkeypatch.delenv("TRY_NOT_SET", raising=False)
    with pytest.raises(ValueError, match=re.escape(text)) as problem:
        fill(folder, text)
    assert expected in str(problem.value)


def test_an_environment_may_be_beside_one_file_alone(folder):
    """`/` has no environment near it, and the file that is meant has."""
    (folder / "a.http").write_text("GET /{{host}}")
    to_all = ForAll(given=Given(http_env="prod"))
    root = folder.parent.parent
    name = str((folder / "a.http").relative_to(root))
    _, session = load(["/", name], root=root, to_all=to_all)
    assert session.asks[0].target == "/prod.example"


def test_options_and_files_that_are_wrong(folder):
    (folder / "a.http").write_text("GET /{{host}}")
    with pytest.raises(UserError, match=r'no "dve" .* did you mean "dev"'):
        load(["a.http"], root=folder, to_all=ForAll(given=Given(http_env="dve")))
    with pytest.raises(UserError, match="expected NAME=VALUE"):
        parse(["host"])
    (folder.parent / "http-client.env.json").write_text("{")
    with pytest.raises(UserError, match=r"http-client\.env\.json: invalid JSON"):
        fill(folder, "")


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("$randomInt", r"\d{1,3}"),
        ("$randomInt 5 8", "[567]"),
        ("$random.integer", r"\d{1,3}"),
        ("$random.integer(-2, 0)", "-2|-1"),
        ("$random.float(1.5, 2)", r"1\.\d+|2\.0"),
        ("$random.alphabetic(20)", "[A-Za-z]{20}"),
        ("$random.alphanumeric(20)", r"\w{20}"),
        ("$random.numeric(5)", r"\d{5}"),
        ("$random.hexadecimal(16)", "[0-9a-f]{16}"),
        ("$random.email", r"\w+@example\.com"),
        ("$timestamp", "1711893906"),
        ("$timestamp -1 d", "1711807506"),
        ("$isoTimestamp", "2024-03-31T14:05:06.789Z"),
        ("$datetime iso8601", "2024-03-31T14:05:06.789Z"),
        ("$datetime rfc1123", "Sun, 31 Mar 2024 14:05:06 GMT"),
        ("$datetime 'YYYY-MM-DD' 1 M", "2024-04-30"),
        ("$datetime 'YYYY-MM-DD' -1 Q", "2023-12-31"),
        ("$datetime iso8601 1 y", "2025-03-31T14:05:06.789Z"),
        ('$datetime "dddd D MMM YY [at] h:mm A Z" 2 ms', "Sunday 31 Mar 24 at 2:05 PM \\+00:00"),
        ("$localDatetime 'YYYY'", "2024"),
    ],
)
def test_dynamic_variables_of_both_dialects(name, pattern):
    assert re.fullmatch(pattern, Dynamic(NOW).value(name) or "")


def test_each_is_another_one_and_remembered():
    dynamic = Dynamic()
    made = [dynamic.value(name) for name in ("$guid", "$uuid", "$random.uuid", "$random.email")]
    assert len(set(made)) == 4
    assert list(dynamic.made) == made
    for each in made[:3]:
        assert uuid.UUID(each).version == 4
    assert dynamic.value("$nothing") is None
    assert all(dynamic.value(name) for name in NAMES if "atetime" not in name)


def test_values_are_made_once_for_a_run_and_others_for_the_next(tmp_path):
    (tmp_path / "a.http").write_text(
        "@id = {{$guid}}\nPUT /{{id}}\n\n{{$randomInt 0 999999999}}\n###\nGET /{{id}}?{{$uuid}}\n"
    )
    first, second = (load(["a.http"], root=tmp_path)[0] for _ in range(2))
    put, get = first.asks
    one, another = get.target[1:].split("?")
    assert put.target == f"/{one}"
    assert another != one
    assert first.generated == (one, put.body.decode(), another)
    assert not set(first.generated) & set(second.generated)


# What holds for all requests


def test_a_header_goes_with_all_requests_of_any_form(tmp_path):
    (tmp_path / "a.http").write_text("GET /\nauthorization: Basic a b\nAccept: x/y\n")
    (tmp_path / "a.txt").write_text("/{{id}}\n")
    (tmp_path / "a.json").write_text('{"openapi": "3.1.0", "paths": {"/b": {"get": {}}}}')
    (tmp_path / "a.har").write_text(
        '{"log": {"entries": [{"request": {"method": "GET", "url": "http://a/", "headers": []}}]}}'
    )
    to_all = ForAll(
        headers=["Authorization: Bearer {{token}}", "X-Forwarded-Proto: https"],
        given=Given(var={"token": "t0k", "id": "7"}),
    )
    sent = (("Authorization", "Bearer t0k"), ("X-Forwarded-Proto", "https"))
    names = ["/c/{{id}}", "a.http", "a.txt", "a.json", "a.har"]
    asks = [ask for each in load(names, root=tmp_path, to_all=to_all) for ask in each.asks]
    assert [ask.target for ask in asks] == ["/c/7", "/", "/7", "/b", "/"]
    assert [ask.fields for ask in asks] == [sent, (("Accept", "x/y"), *sent), sent, sent, sent]


def test_a_header_takes_credentials_as_files_do(tmp_path):
    [session] = load(["/"], root=tmp_path, to_all=ForAll(headers=["Authorization: Basic a b"]))
    assert session.asks[0].fields == (("Authorization", "Basic YTpi"),)
    [session] = load(["/"], root=tmp_path, to_all=ForAll(headers=["Authorization: Digest a b"]))
    assert (session.asks[0].fields, session.asks[0].digest) == ((), ("a", "b"))


@pytest.mark.parametrize(
    ("to_all", "expected"),
    [
        (ForAll(headers=["X"]), 'expected "NAME: VALUE"'),
        (ForAll(headers=["X Y: z"]), "'X Y' is not a valid field name"),
        (ForAll(headers=["X: {{y}}"]), "--var y=…"),
        (ForAll(headers=["Host: x"]), "use --host for the Host"),
        (ForAll(headers=["Content-Length: 3"]), "is generated for each request"),
        (ForAll(host="a b"), "'a b' is not a valid host"),
    ],
)
def test_what_cannot_go_with_all_requests(tmp_path, to_all, expected):
    with pytest.raises(UserError, match=re.escape(expected)):
        load(["/"], root=tmp_path, to_all=to_all)


def test_a_path_with_a_place_that_nothing_fills(tmp_path):
    with pytest.raises(UserError, match="--var id=…"):
        load(["/{{id}}"], root=tmp_path)


def test_checks_are_called_the_same_in_each_run(tmp_path):
    (tmp_path / "a.http").write_text(
        "@id = {{$guid}}\nGET a.example:80/{{id}}/{{$randomInt 5 9}}?a={{b}}\n###\nOPTIONS *\n"
    )
    to_all = ForAll(given=Given(var={"b": "7"}))
    runs = [load(["/{{$uuid}}", "a.http"], root=tmp_path, to_all=to_all) for _ in range(2)]
    names = [[ask.name for session in run for ask in session.asks] for run in runs]
    assert names == [["01-get-uuid", "02-get-guid-randomint-5-9-a-7", "03-options"]] * 2
    assert runs[0][0].asks[0].target != runs[1][0].asks[0].target
