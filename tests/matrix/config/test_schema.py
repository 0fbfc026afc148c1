"""The JSON Schemas for editors: they take and refuse what the readers take and refuse."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from wsgi_matrix.cli import main
from wsgi_matrix.cli.schema import SCHEMAS, rendered
from wsgi_matrix.config import matrix_toml, server_toml
from wsgi_matrix.errors import ConfigError
from wsgi_matrix.suites import registry
from wsgi_matrix.suites.contract import contract_file
from wsgi_matrix.util.toml_file import TomlFile

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "matrix" / "wsgi_matrix" / "schema"
OURS = {
    "matrix": [
        ROOT / "matrix.toml",
        ROOT / "lessons" / "matrix.toml",
        ROOT / "tests" / "matrix" / "plain.toml",
    ],
    "server": sorted((ROOT / "peers").glob("*/server.toml")),
    "contract": [ROOT / "apps" / "contract.toml"],
}
WHOLE = {
    "matrix": """
[run]
repeat = 1
deadline = 1.5
grace = 1
suites = ["all"]
built_in = false
peers = "peers"
cells = ["*"]
[servers.one]
context = "."
dockerfile = "Dockerfile"
image = "one:1"
args = ["{app}", "{port}"]
workers = 1
threads = 1
process = ["{python}"]
process_path = ["."]
stop_signal = "SIGINT"
stop_status = [0]
reload_signal = "SIGHUP"
ready_log = "up$"
product = "One"
version = "1"
pythons = ["3.11"]
requirements = "r.txt"
sources = "s.txt"
glibc = "2.35"
packages = ["x"]
builder = ["gcc"]
[apps.shop]
path = "shop"
target = "shop:create(1)"
framework = ""
requirements = "r.txt"
resolve = true
sdists = true
pythons = ["3.11"]
limits = ["small"]
setup = ["make it"]
writable = "/data"
ready_path = "/health"
ready_status = 204
[apps.shop.environment]
A = "1"
[apps.shop.secrets]
token = "token"
[apps.shop.services.db]
image = "db:1"
command = ["x"]
port = 1
environment = { A = "1" }
[limits.small]
nofile = 16
nproc = 1
memory = "1MiB"
clients = 1
rounds = 1
[pythons."3.11"]
images = ["python:3.11"]
debian = "bookworm"
[suites.contract]
servers = ["one"]
apps = ["shop"]
limits = ["small"]
pythons = ["3.11"]
workers = 1
contract = "contract.toml"
reference_app = "shop"
reference_server = "one"
[suites.traffic]
servers = []
apps = []
limits = []
pythons = []
workers = 1
send = ["/"]
ignore = ["header:x"]
capture = ["x=regex:y"]
header = ["A: b"]
var = ["a=b"]
http_env = "dev"
allow_status = ["503"]
host = "shop.example"
largest = "64MiB"
patience = 1
[[xfail]]
suite = "hello"
cells = ["*"]
checks = ["*"]
reason = "known"
detail = "^x"
sometimes = true
""",
    "server": """
product = "One"
version = "1"
pythons = ["3.11"]
requirements = "r.txt"
sources = "s.txt"
glibc = "2.35"
packages = ["x"]
builder = ["gcc"]
process = ["{python}"]
stop_signal = "SIGINT"
stop_status = [0]
reload_signal = "SIGHUP"
ready_log = "up$"
[servers.one]
args = ["{app}"]
workers = 1
threads = 1
process = ["{python}"]
stop_signal = "SIGINT"
stop_status = [0]
reload_signal = "SIGHUP"
ready_log = "up$"
""",
    "contract": """
[[endpoint]]
path = "/x/{y}"
says = "x"
methods = ["GET"]
example = "/x/y"
own = true
[[endpoint.exchange]]
name = "x"
method = "GET"
target = "/x"
fields = ["A: b"]
body = "b"
body_hex = "00"
chunked = true
head = false
page = true
level = "MAY"
joined = ["j"]
[[endpoint.exchange.accept]]
status = 200
type = "text/plain"
text = "t"
json = { a = 1 }
pattern = 1
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
empty = false
fields = { a = ["b"] }
without = ["x"]
""",
}
"""Files that say everything that there is to say."""


@pytest.fixture
def read(tmp_path):
    """`read(kind, content)`: by our reader, in a directory with all that the files name."""
    (tmp_path / "peers").mkdir()
    (tmp_path / "token").touch()

    def read(kind: str, content: dict[str, Any]) -> None:
        file = tmp_path / f"{kind}.toml"
        if kind == "matrix":
            matrix_toml.from_data(TomlFile(file), content)
        elif kind == "server":
            server_toml.from_data(TomlFile(file), content)
        else:
            contract_file.from_data(TomlFile(file), content)

    return read


def valid(kind: str, content: dict[str, Any]) -> bool:
    """By the schema alone."""
    return bool(jsonschema.Draft7Validator(SCHEMAS[kind]()).is_valid(content))


def tables(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all tables with declared keys."""
    named = {"servers", "apps", "limits", "pythons", "suites", "services"}
    free = {"environment", "secrets", "json", "fields"}
    if isinstance(value, dict) and not free & set(path):
        if not path or path[-1] not in named:
            yield path
        for key, each in value.items():
            yield from tables(each, (*path, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from tables(each, (*path, number))


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    """The table there."""
    for step in path:
        value = value[step]
    return value


def keys(kind: str) -> list[tuple[tuple[str | int, ...], str]]:
    """Every key of every table of the file that says everything."""
    whole = tomllib.loads(WHOLE[kind])
    return [(path, key) for path in tables(whole) for key in at(whole, path)]


ALL_KEYS = [(kind, path, key) for kind in WHOLE for path, key in keys(kind)]
NAMES = [".".join(map(str, (kind, *path, key))) for kind, path, key in ALL_KEYS]
WRONG = ({"a": {"b": 1}}, [[]], 0.5, -1, "\x00 ")
"""No key but ``json`` takes all of these."""
ONLY_READ = {"target", "suite"}
"""What no schema says: that a factory has literal arguments, and which suites there are."""


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_one(kind):
    schema = SCHEMAS[kind]()
    jsonschema.validators.validator_for(schema, default=None).check_schema(schema)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_what_is_published_is_current(kind):
    told = f"run: wsgi-matrix schema {kind} >matrix/wsgi_matrix/schema/{kind}.schema.json"
    assert (PUBLISHED / f"{kind}.schema.json").read_text("utf-8") == rendered(kind), told


def test_all_that_is_published_is_made():
    assert {path.name for path in PUBLISHED.iterdir()} == {f"{x}.schema.json" for x in SCHEMAS}


def test_the_command_prints_what_is_published():
    done = CliRunner().invoke(main, ["schema", "matrix"])
    assert (done.exit_code, done.output) == (0, rendered("matrix"))


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_key_says_what_it_means(kind):
    schema = SCHEMAS[kind]()
    found = [schema, *schema.get("definitions", schema.get("$defs")).values()]
    assert all(each["title"] and each["description"] for each in found)
    for each in found:
        for name, key in each.get("properties", {}).items():
            assert key["description"].endswith("."), name


@pytest.mark.parametrize("kind", OURS)
def test_the_files_of_the_repository_keep_their_schema_and_name_it(kind):
    validator = jsonschema.Draft7Validator(
        json.loads((PUBLISHED / f"{kind}.schema.json").read_text())
    )
    assert OURS[kind]
    for file in OURS[kind]:
        validator.validate(tomllib.loads(file.read_text("utf-8")))
        mark, _, path = file.read_text("utf-8").partition("\n")[0].partition(" ")
        assert mark == "#:schema"
        assert (file.parent / path).resolve() == PUBLISHED / f"{kind}.schema.json"


@pytest.mark.parametrize("kind", WHOLE)
def test_a_file_that_says_everything_is_taken_by_both(kind, read):
    whole = tomllib.loads(WHOLE[kind])
    assert valid(kind, whole)
    read(kind, whole)


@pytest.mark.parametrize("kind", WHOLE)
def test_such_a_file_has_every_key(kind):
    schema = SCHEMAS[kind]()
    declared = {
        name
        for each in (schema, *schema["definitions"].values())
        for name in each.get("properties", {})
    }
    assert {key for _, key in keys(kind)} >= declared - set(registry.types())


@pytest.mark.parametrize(("kind", "path", "key"), ALL_KEYS, ids=NAMES)
def test_a_wrong_value_is_refused_by_both(kind, path, key, read):
    def refused(content: dict[str, Any]) -> bool:
        try:
            read(kind, content)
        except ConfigError:
            return True
        return False

    by_both = 0
    for wrong in WRONG:
        spoilt = tomllib.loads(WHOLE[kind])
        at(spoilt, path)[key] = wrong
        by_reader, by_schema = refused(spoilt), not valid(kind, spoilt)
        by_both += by_reader and by_schema
        assert by_reader or not by_schema, wrong
        assert by_schema or not by_reader or key in ONLY_READ, wrong
    assert by_both or key == "json"


@pytest.mark.parametrize(("kind", "path", "key"), ALL_KEYS, ids=NAMES)
def test_a_typo_is_refused_by_both_and_the_key_is_proposed(kind, path, key, read):
    spoilt = tomllib.loads(WHOLE[kind])
    table = at(spoilt, path)
    if path == ("pythons",) or key == "3.11":
        return
    table[key + "x"] = table.pop(key)
    assert not valid(kind, spoilt)
    with pytest.raises(ConfigError, match=rf"{key}x: unknown key; did you mean "):
        read(kind, spoilt)


@pytest.mark.parametrize(
    ("old", "now", "hint"),
    [
        ('debian = "bookworm"', 'suite = "bookworm"', 'renamed to "debian"'),
        ('ready_log = "up$"', 'ready = "up$"', 'renamed to "ready_log"'),
        ('ready_path = "/health"', 'ready = "/health=200"', 'use ready_path = "/health", and'),
        ("built_in = false", "shipped = false", 'renamed to "built_in"'),
        ("[apps.shop.services.db]", "[apps.shop.beside.db]", 'renamed to "services"'),
        ('detail = "^x"', 'says = "^x"', 'renamed to "detail"'),
    ],
)
def test_a_key_of_an_older_version_is_refused_with_its_name_now(old, now, hint, read):
    assert old in WHOLE["matrix"]
    spoilt = tomllib.loads(WHOLE["matrix"].replace(old, now, 1))
    assert not valid("matrix", spoilt)
    with pytest.raises(ConfigError, match=hint):
        read("matrix", spoilt)


def test_a_suite_takes_its_own_options_only(read):
    spoilt = tomllib.loads(WHOLE["matrix"] + '[suites.hello]\nsend = ["/"]\n')
    assert not valid("matrix", spoilt)
    with pytest.raises(ConfigError, match=r"suites\.hello\.send: unknown key"):
        read("matrix", spoilt)
