"""The folders of other servers: what is read of them, what a mistake there says, what is pinned."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from wsgi_matrix.config import matrix_toml as config
from wsgi_matrix.config import plan, server_toml
from wsgi_matrix.errors import ConfigError, SetupError
from wsgi_matrix.model.axes import Python
from wsgi_matrix.packaging.server_dependencies import ensure_parts

from tests.matrix.helpers import ROOT

FOLDERS = sorted(path.parent for path in (ROOT / "peers").glob("*/server.toml"))
GOOD = """
product = "One"
version = "1.0"
stop_signal = "SIGINT"
pythons = ["3.11"]
[servers.one_a]
args = ["{app}", "{port}"]
[servers.one_b]
args = ["{app}", "{threads}"]
threads = 4
stop_signal = "SIGQUIT"
"""
MATRIX = """
[run]
peers = "peers"
[suites.hello]
servers = ["one_a"]
[apps.app]
path = "app"
[limits.default]
[pythons."3.11"]
[pythons."3.13"]
"""


@pytest.fixture
def load(tmp_path):
    def load(text=GOOD, matrix=MATRIX):
        folder = tmp_path / "peers" / "one"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "server.toml").write_text(text)
        (tmp_path / "matrix.toml").write_text(matrix)
        return config.load(tmp_path / "matrix.toml")

    return load


def test_a_folder_is_a_server_for_each_of_its_tables(load, tmp_path):
    first, second = load().servers.values()
    assert (first.name, second.name) == ("one_a", "one_b")
    assert first.context == tmp_path / "peers" / "one"
    assert (first.product, first.version) == ("One", "1.0")
    assert (first.stop_signal, second.stop_signal) == ("SIGINT", "SIGQUIT")
    assert (first.threads, second.threads) == (1, 4)


@pytest.mark.parametrize(
    ("old", "new", "key", "hint"),
    [
        ("product", "prodcut", "prodcut", 'did you mean "product"'),
        ('version = "1.0"', "", "server.toml", '"version" is missing'),
        ('args = ["{app}", "{port}"]', "", "servers.one_a", '"args" is missing'),
        ("{threads}", "{thread}", "servers.one_b.args", 'did you mean "threads"'),
        ("threads = 4", "threads = 0", "servers.one_b.threads", "from 1"),
        ("threads = 4", 'process = ["{lib}/bin/one"]', "servers.one_b.process", "placeholder"),
        ('version = "1.0"', 'version = "1.0"\nglibc = "2.35.1"', "glibc", 'such as "2.35"'),
        ("threads = 4", "ready_log = '('", "servers.one_b.ready_log", "regular expression"),
        ("[servers.one_a]", "[servers.one-a]", "servers.one-a", "no hyphen"),
    ],
)
def test_a_mistake_names_file_key_and_remedy(load, old, new, key, hint):
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        load(GOOD.replace(old, new, 1))
    assert "peers/one/server.toml: " in str(caught.value)
    assert key in str(caught.value)
    assert hint in str(caught.value)


def test_two_servers_of_one_name_are_an_error(load):
    twice = MATRIX + '[servers.one_a]\ncontext = "."\nargs = []\n'
    with pytest.raises(ConfigError, match="a second server"):
        load(matrix=twice)


def test_a_server_runs_on_its_own_pythons_and_the_suite_says_which_run_unasked(load):
    matrix = load()
    ids = [cell.id for cell in plan.make_cells(matrix, plan.Selection())]
    assert ids == ["one_a-app-default-py311"]
    every = plan.make_cells(matrix, plan.Selection(servers=("all",)))
    assert [cell.server.name for cell in every] == ["one_a", "one_b"]


def test_a_lock_that_is_missing_is_told_before_anything_is_fetched(load, tmp_path):
    server = load(GOOD.replace("version =", 'requirements = "lock.txt"\nversion =')).servers[
        "one_a"
    ]
    with pytest.raises(SetupError, match=r"server one_a: no such file: .*lock\.txt"):
        ensure_parts(server, Python(version="3.11"), tmp_path, "x86_64-unknown-linux-gnu")


def test_wheels_reach_the_build_as_lib_and_are_not_made_twice(load, tmp_path):
    server = load(GOOD.replace("version =", 'requirements = "lock.txt"\nversion =')).servers[
        "one_a"
    ]
    lock = (ROOT / "peers" / "waitress" / "requirements.txt").read_text()
    (server.context / "lock.txt").write_text(lock)
    python, platform = Python(version="3.11"), "x86_64-unknown-linux-gnu"
    made = ensure_parts(server, python, tmp_path, platform)
    assert made["lib/waitress/__init__.py"].is_file()
    before = made["lib/waitress/__init__.py"].stat().st_ino
    again = ensure_parts(server, python, tmp_path, platform)
    assert again["lib/waitress/__init__.py"].stat().st_ino == before


def peer_faults(folder: Path) -> list[str]:
    """What is wrong with the directory of a server: a file is missing, or no version is pinned."""
    servers = server_toml.read_directory(folder)
    [server, *_] = servers
    if not (folder / "Dockerfile").is_file():
        return ["there is no Dockerfile"]
    dockerfile = (folder / "Dockerfile").read_text()
    found = []
    if not re.search(r"^ARG BASE$", dockerfile, re.MULTILINE):
        found.append("its base is not the run's")
    if bool(server.builder) != ("FROM ${BUILDER}" in dockerfile):
        found.append("it says a builder and does not use it, or the other way round")
    made = {"lib": server.requirements, "sources": server.sources}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    needed = {name for each in copied for name in each.split()}
    words = [word for each in servers for word in each.process]
    needed |= {word.removeprefix("{context}/") for word in words if word.startswith("{context}/")}
    for name in sorted(needed):
        if not (made[name] if name in made else (folder / name).is_file()):
            found.append(f"there is no {name}")
    pins = " ".join(server.packages)
    for lock in filter(None, made.values()):
        if not (folder / lock).is_file():
            found.append(f"there is no {lock}")
            continue
        text = (folder / lock).read_text()
        for each in re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)):
            if "==" not in each or "--hash=sha256:" not in each:
                found.append(f"{lock}: not pinned: {each.split()[0]}")
        if "://" in text:
            found.append(f"{lock} names a host")
        pins += f" {text}"
    wanted = [line for line in _lines(folder / "requirements.in") if line.split()[0] not in pins]
    found += [f"{each} is not locked" for each in wanted]
    # The standard library's has no release of its own.
    if folder.name != "wsgiref" and not re.search(rf"={re.escape(server.version)}(?![\d.])", pins):
        found.append(f"version {server.version} is not what is pinned")
    return found


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.is_file() else []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_each_peer_has_its_files_and_is_pinned(folder):
    assert peer_faults(folder) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_each_peer_is_refused_without_any_of_its_files_or_with_another_version(folder, tmp_path):
    """Every file of every directory is needed for something; what is not is a leftover."""
    files = sorted(
        path for path in folder.iterdir()
        if path.is_file() and path.name not in ("server.toml", "requirements.in")
    )  # fmt: skip
    for file in files:
        copy = tmp_path / f"without_{file.name}" / folder.name
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
        (copy / file.name).unlink()
        assert peer_faults(copy), f"{file.name} is not missed"
    copy = tmp_path / "other_version" / folder.name
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
    text = (copy / "server.toml").read_text()
    (copy / "server.toml").write_text(re.sub(r'^version = "', r"\g<0>9", text, flags=re.MULTILINE))
    assert bool(peer_faults(copy)) == (folder.name != "wsgiref")
