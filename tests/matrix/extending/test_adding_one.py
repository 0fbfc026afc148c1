"""What adding one costs: the files of docs/extending.md, and not a line elsewhere.

Each test adds them to a repository of its own, sees in git that this is all, runs the command
there, and sees that the new one took part.
"""

from __future__ import annotations

import hashlib
import re
import zipfile

import pytest
from wsgi_matrix.model.axes import App, Cell, Limits, Python, Server
from wsgi_matrix.model.results import Outcome
from wsgi_matrix.suites.case import Evidence

from tests.matrix.extending.conftest import ENGINE, PAGE, files
from tests.matrix.packages import TAGS, metadata

MATRIX, PROJECT = "matrix.toml", "pyproject.toml"


def stanza(section, name):
    """How git counts the stanza of a section: lines that came, and that went."""
    return {name: (len(files(section)[name].splitlines()), 0)}


def test_a_server_is_a_directory(repository):
    repository.add(files("A server"))
    assert (repository.added(), repository.changed()) == ({"peers/threaded/"}, {})
    repository.run("run", *ENGINE)
    assert [(cell["id"], cell["outcome"]) for cell in repository.cells()] == [
        ("first-shop-default-py311", "pass"),
        ("threaded-shop-default-py311", "pass"),
    ]


BOTTLE = '''
import json

__version__ = "0.13.4"


class Response:
    content_type = ""


response = Response()


class Bottle:
    """As much of Bottle as the page uses: the tests need no network."""

    def __init__(self):
        self.calls = {}

    def get(self, path):
        return lambda call: self.calls.setdefault(path, call)

    def __call__(self, environ, start_response):
        said = self.calls[environ["PATH_INFO"]]()
        kind, content = "application/json", json.dumps(said).encode()
        if isinstance(said, str):
            kind, content = response.content_type, said.encode()
        fields = [("Content-Type", kind), ("Content-Length", str(len(content)))]
        start_response("200 OK", fields)
        return [content]
'''


@pytest.fixture
def lock(tmp_path):
    """The content of a requirements.txt, locked, of which nothing is fetched."""
    wheel = tmp_path / "wheels" / "bottle-0.13.4-py3-none-any.whl"
    wheel.parent.mkdir()
    info = "bottle-0.13.4.dist-info/"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("bottle.py", BOTTLE)
        archive.writestr(info + "METADATA", metadata("bottle", "0.13.4"))
        archive.writestr(info + "WHEEL", TAGS)
        archive.writestr(info + "RECORD", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f"--no-index\n--find-links {wheel.parent}\nbottle==0.13.4 --hash=sha256:{digest}\n"


def test_a_framework_is_a_directory_and_a_stanza(repository, lock):
    repository.add(files("A framework"))
    repository.add({"apps/bottle/requirements.txt": lock})
    assert repository.added() == {"apps/bottle/"}
    assert repository.changed() == stanza("A framework", MATRIX)
    repository.run("run", *ENGINE)
    [_, found] = repository.cells()
    assert (found["id"], found["outcome"]) == ("first-bottle-default-py311", "pass")
    assert found["framework_version"] == "0.13.4"


def test_a_profile_of_limits_is_a_stanza(repository):
    repository.add(files("A profile of limits"))
    assert repository.added() == set()
    assert repository.changed() == stanza("A profile of limits", MATRIX)
    repository.run("run", *ENGINE)
    [_, found] = repository.cells()
    assert (found["id"], found["outcome"]) == ("first-shop-few-py311", "pass")
    assert found["limits_observed"]["nofile"] == 64


def test_a_suite_is_a_package_and_an_entry(repository):
    repository.add(files("A suite"))
    assert repository.added() == {"acme_matrix/ping/"}
    assert repository.changed() == stanza("A suite", PROJECT)
    assert "ping answered MUST GET /hello has" in repository.run("list", "cases", "--suite", "ping")
    told = repository.run("run", *ENGINE, "--suite", "ping")
    [found] = repository.cells()
    assert found["id"] == "first-shop-default-py311-ping"
    assert {check["id"]: check["outcome"] for check in found["checks"]} == {
        "start": "pass",
        "limits-applied": "pass",
        "unchanged": "skip",  # a process has no image
        "clean-exit": "pass",
        "answered": "pass",
    }
    assert re.search(r"first\W+4 pass, 1 skip", told)  # the tally


def test_a_result_of_their_suite_is_not_reused_after_a_change_in_it(repository):
    repository.add(files("A suite"))
    words = ("run", *ENGINE, "--suite", "ping", "--reuse")
    repository.run(*words)
    repository.run(*words)
    assert repository.cells()[0]["reused"]
    repository.add({"acme_matrix/ping/__init__.py": "# judged by other code\n"})
    repository.run(*words)
    assert not repository.cells()[0]["reused"]


def test_the_judge_of_the_page_is_seen_red_and_green(good_exchange):
    """As the page says to test a suite."""
    there = {}
    exec(files("A suite")["acme_matrix/ping/__init__.py"], there)
    for error, outcome in (("", Outcome.PASS), ("no response", Outcome.FAIL)):
        assert there["judge"](good_exchange(error))[0] is outcome


def test_an_engine_is_a_package_and_an_entry(repository):
    repository.add(files("An engine"))
    assert repository.added() == {"acme_matrix/niced/"}
    assert repository.changed() == stanza("An engine", PROJECT)
    repository.add({"apps/shop/app.py": "\n\nimport os\nassert os.nice(0) == 5\n"})
    told = repository.run("run", "--engine", "niced")
    [found] = repository.cells()
    assert (found["engine"], found["outcome"]) == ("niced", "pass")
    assert "processes with a lower priority, NOT containers (niced" in told
    assert "nofile" in repository.run("doctor", "--engine", "niced", code=1)
    # The app of another priority cannot be imported: what was asserted holds in this engine alone.
    repository.run("run", *ENGINE, code=5)


def test_what_their_engine_keeps_is_shown(repository):
    repository.add(files("An engine"))
    told = repository.run("run", "--engine", "niced", "--keep", "all")
    [found] = repository.cells()
    assert f"preserved {found['id']}: {found['kept'][0]}" in told
    assert found["kept"][0] in repository.run("show", found["id"])


def test_a_report_is_a_module_and_an_entry(repository):
    repository.add(files("A report"))
    assert repository.added() == {"acme_matrix/csv_report.py"}
    assert repository.changed() == stanza("A report", PROJECT)
    repository.run("run", *ENGINE)
    text = (repository.folder / "build/matrix/cells.csv").read_text()
    assert re.fullmatch(r"cell,outcome,seconds\nfirst-shop-default-py311,pass,[0-9.]+\n", text), (
        text
    )
    assert repository.run("report", "--format", "csv").startswith(text)


def test_a_server_of_a_distribution_is_a_directory_and_an_entry(repository):
    section = "A server for others"
    repository.add(files(section))
    assert repository.added() == {"acme_matrix/reference/"}
    assert repository.changed() == stanza(section, PROJECT)
    (repository.folder / MATRIX).unlink()
    assert "reference wsgiref 1" in repository.run("list", "servers").splitlines()
    told = repository.run(
        "--build", "build", "try", "app:app", *ENGINE,
        "--source", "apps/shop", "--servers", "onegate,reference", "--traffic", "/hello",
    )  # fmt: skip
    assert "2 cells: 2 pass" in told
    assert "reference app" in told


@pytest.mark.parametrize(
    ("section", "name", "words"),
    [
        ("A suite", "ping", ("run", *ENGINE, "--suite", "ping")),
        ("An engine", "niced", ("run", "--engine", "niced")),
        ("A report", "csv", ("run", *ENGINE)),
        ("A server for others", "reference", ("list", "servers")),
    ],
)
def test_a_broken_one_is_one_line_that_names_the_distribution(repository, section, name, words):
    repository.add({PROJECT: files(section)[PROJECT]})
    if words[0] == "list":
        (repository.folder / MATRIX).unlink()
    told = repository.run(*words, code=2)
    assert told.count("\n") == 1
    assert told.startswith(f'wsgi-matrix: acme-matrix 1.0: entry point "{name}" of wsgi_matrix.')
    assert "cannot be loaded: ModuleNotFoundError" in told
    if name == "ping":
        assert told in PAGE


@pytest.mark.parametrize(
    ("section", "words"),
    [("A suite", ("run", *ENGINE)), ("An engine", ("run", *ENGINE, "--suite", "hello"))],
)
def test_a_broken_one_hinders_only_who_uses_it(repository, section, words):
    repository.add({PROJECT: files(section)[PROJECT]})
    repository.run(*words)
    repository.run("--help")
    repository.run("run", "--help")


def test_a_report_that_cannot_be_made_leaves_the_others(repository):
    found = files("A report")
    module = "acme_matrix/csv_report.py"
    repository.add({**found, module: found[module].replace("each['id']", "each['di']")})
    told = repository.run("run", *ENGINE)
    assert 'wsgi-matrix: cells.csv was not written: acme-matrix 1.0: entry point "csv" of' in told
    there = {file.name for file in (repository.folder / "build/matrix").iterdir() if file.is_file()}
    assert there == {"results.json", "report.html", "junit.xml", "report.md", "badge.svg"}
    assert "acme-matrix 1.0" in repository.run("report", "--format", "csv", code=2)


def test_two_reports_cannot_have_the_same_file(repository):
    found = files("A report")
    module = "acme_matrix/csv_report.py"
    repository.add({**found, module: found[module].replace("cells.csv", "report.md")})
    assert "markdown also writes report.md" in repository.run("run", *ENGINE, code=2)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("servers.reference", "servers.onegate", 'wsgi-matrix also has a server "onegate"'),
        ("stop_signal", "stop_singal", 'did you mean "stop_signal"'),
    ],
)
def test_a_server_of_a_distribution_that_cannot_be_read_is_refused(repository, old, new, text):
    found = files("A server for others")
    toml = "acme_matrix/reference/server.toml"
    repository.add({**found, toml: found[toml].replace(old, new)})
    (repository.folder / MATRIX).unlink()
    told = repository.run("list", "servers", code=2)
    assert told.startswith('wsgi-matrix: acme-matrix 1.0: entry point "reference" of')
    assert text in told


@pytest.mark.parametrize("place", ["pathlib.Path(__file__).parent / 'reference'", "lambda: PLACE"])
def test_the_directory_of_a_server_may_be_a_path_or_what_a_function_returns(repository, place):
    found = files("A server for others")
    found[PROJECT] = found[PROJECT].replace("acme_matrix.reference", "acme_matrix:server")
    repository.add(found)
    code = "import pathlib\nPLACE = pathlib.Path(__file__).parent / 'reference'\n"
    repository.add({"acme_matrix/__init__.py": f"{code}server = {place}\n"})
    (repository.folder / MATRIX).unlink()
    assert "reference wsgiref 1" in repository.run("list", "servers").splitlines()


@pytest.fixture
def good_exchange():
    from wsgi_matrix.model.results import Observed, Stopped
    from wsgi_matrix.model.wire import Exchange

    def make(error):
        exchange = Exchange(request=b"", response=b"x", seconds=0.1, error=error, end="fin")
        server = Server(name="s", context=None, args=())
        cell = Cell(
            server=server, app=App(name="a", path=None), limits=Limits(), python=Python(version="3")
        )
        stopped = Stopped(exit_status=0, oom_killed=False, log="", changed=())
        return Evidence(
            cell=cell,
            framework_version="",
            observed=Observed(),
            exchanges={"ping": (exchange,)},
            stopped=stopped,
        )

    return make


SECTIONS = re.findall(r"^\| \[([^]]+)\]\(#([\w-]+)\) \| ([^|]+) \| ([^|]+) \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("name", "anchor", "new", "changed"), SECTIONS)
def test_the_table_counts_what_the_page_adds(name, anchor, new, changed):
    section = name[0].upper() + name[1:]
    assert anchor == section.lower().replace(" ", "-")
    if name == "a case":
        return  # of this repository: see test_case.py
    found = files(section)
    there = {each for each in found if each in (MATRIX, PROJECT)}
    roots = {each.rpartition("/")[0] for each in found if each not in there}
    assert len(roots) == (0 if new == "none" else 1)
    assert len(there) == (0 if changed == "nothing" else 1)
    assert all(each in changed for each in there)


def test_every_kind_is_counted():
    assert len(SECTIONS) == 8
