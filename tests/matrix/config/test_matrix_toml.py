"""matrix.toml: each error is one line with the file, the key and what to do."""

from __future__ import annotations

import pytest
from wsgi_matrix.config import matrix_toml as config
from wsgi_matrix.config import plan
from wsgi_matrix.errors import ConfigError, NothingSelected, UserError

from tests.matrix.helpers import ROOT

GOOD = """
[run]
repeat = 3
[servers.one]
context = "."
args = ["{app}", "{port}"]
[apps.flask]
path = "apps/flask"
framework = "flask"
[apps.django]
path = "apps/django"
[limits.default]
[limits.tight]
nofile = 64
memory = "128MiB"
[pythons."3.11"]
[pythons."3.13"]
"""


@pytest.fixture
def load(tmp_path):
    def load(text=GOOD):
        file = tmp_path / "matrix.toml"
        file.write_text(text)
        return config.load(file)

    return load


def test_the_file_is_read_with_paths_made_absolute(load, tmp_path):
    matrix = load()
    assert matrix.settings.repeat == 3
    assert matrix.limits["tight"].memory == 128 * 2**20
    assert matrix.apps["flask"].path == tmp_path / "apps/flask"
    assert matrix.build == tmp_path / "build"


@pytest.mark.parametrize(
    ("old", "new", "key", "hint"),
    [
        ("[run]", "[rum]", "rum", 'did you mean "run"'),
        ("repeat", "repaet", "run.repaet", 'did you mean "repeat"'),
        ("nofile = 64", "nofiles = 64", "limits.tight.nofiles", 'did you mean "nofile"'),
        ("context", "contxt", "servers.one.contxt", 'did you mean "context"'),
        ("framework =", "framwork =", "apps.flask.framwork", 'did you mean "framework"'),
        ("nofile = 64", 'nofile = "64"', "limits.tight.nofile", "whole number"),
        ("nofile = 64", "nofile = true", "limits.tight.nofile", "whole number"),
        ("nofile = 64", "nofile = 8", "limits.tight.nofile", "from 16"),
        ("128MiB", "128MB", "limits.tight.memory", "128MiB"),
        ("repeat = 3", "repeat = 0", "run.repeat", "from 1"),
        ('path = "apps/flask"', "", "apps.flask", '"path" is missing'),
        ('args = ["{app}", "{port}"]', "", "servers.one", '"args" is missing'),
        ('"{port}"', '"{prot}"', "servers.one.args", 'did you mean "port"'),
        ('args = ["{app}", "{port}"]', 'args = "x"', "servers.one.args", "list of strings"),
        ("[apps.flask]", "[apps.my-flask]", "apps.my-flask", "no hyphen"),
        ('[pythons."3.13"]', '[pythons."three"]', "three", "3.11"),
        ("[run]", "run = 3\n[x]", "x", "unknown key"),
        ("[run]\nrepeat = 3", "run = 3", "run", "a table"),
        ("[servers.one]", "[servers.one", "", "invalid TOML"),
    ],
)
def test_an_error_names_file_key_and_remedy(load, old, new, key, hint):
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        load(GOOD.replace(old, new, 1))
    message = str(caught.value)
    assert "/matrix.toml: " in message
    assert key in message
    assert hint in message
    assert "\n" not in message


def test_a_missing_folder_of_an_app_is_found_before_anything_runs(load):
    matrix = load()
    with pytest.raises(ConfigError, match=r"apps\.flask\.path: no such directory"):
        config.check_directories(matrix, plan.make_cells(matrix, plan.Selection()))


def test_the_matrix_is_searched_upwards(load, tmp_path):
    load()
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert config.find(deep) == tmp_path / "matrix.toml"
    with pytest.raises(ConfigError, match="--config"):
        config.find(tmp_path.parent)


def ids(matrix, **selection):
    return [cell.id for cell in plan.make_cells(matrix, plan.Selection(**selection))]


def test_the_plan_is_the_product_of_the_axes(load):
    assert len(ids(load())) == 8
    assert ids(load(), apps=("django",), limits=("tight",)) == [
        "one-django-tight-py311",
        "one-django-tight-py313",
    ]
    assert len(ids(load(), apps=("all",))) == 8


def test_globs_choose_and_leave_out(load):
    assert ids(load(), select=("*-tight-*",), skip=("*py313", "*django*")) == [
        "one-flask-tight-py311"
    ]


def test_an_unknown_name_is_an_error_with_a_suggestion(load):
    with pytest.raises(UserError, match=r'--apps: no "flsk" .*did you mean "flask"'):
        ids(load(), apps=("flsk",))


@pytest.mark.parametrize(
    "selection",
    [{"select": ("nothing-*",)}, {"skip": ("*",)}, {"select": ("*311",), "skip": ("one*",)}],
)
def test_an_empty_selection_is_an_error(load, selection):
    with pytest.raises(NothingSelected):
        ids(load(), **selection)


def test_the_readme_tells_the_profiles_of_the_matrix():
    def row(limits):
        memory = f"{limits.memory >> 20} MiB" if limits.memory else None
        clients = f"{limits.clients:,}" + (f", {limits.rounds} times" if limits.rounds > 1 else "")
        cells = (f"`{limits.name}`", limits.nofile, limits.nproc, memory, clients)
        return f"| {' | '.join(str(cell or '–') for cell in cells)} |"

    matrix = config.load(ROOT / "matrix.toml")
    readme = (ROOT / "README.md").read_text()
    for name in ("default", "fds256", "procs400", "tight"):
        assert row(matrix.limits[name]) in readme.splitlines()
