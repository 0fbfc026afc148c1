"""The matrix in pytest: a test item for each cell and check.

``pytest --matrix`` makes the items by itself; docs/pytest.md describes its use. A test with the
fixture ``matrix_check`` is parametrized with each cell and check of the selection; all cells run
once, when the first of them is set up. ``matrix_across`` compares with other runs of the same
images (``tox -e flask,django,pyramid``: in the last of them).

Every pytest session of an environment with wsgi-matrix imports this module. So it imports nothing
but pytest and its own keys; the rest comes with ``--matrix`` or a fixture.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from wsgi_matrix.pytest_plugin.keys import AXES, NOTICE, RUN

if TYPE_CHECKING:
    from wsgi_matrix.model.results import CaseResult, Run
    from wsgi_matrix.pytest_plugin.session_run import Check


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--matrix-…``: the selection options of the command ``wsgi-matrix``."""
    group = parser.getgroup("wsgi-matrix")
    text = "also run the matrix: one item for each cell and check"
    group.addoption("--matrix", action="store_true", help=text)
    for name, text in (("select", "run"), ("skip", "do not run")):
        group.addoption(
            f"--matrix-{name}",
            default=[],
            action="append",
            metavar="GLOB",
            help=f"{text} cells whose id matches this glob",
        )
    text = "suites to run (default: set in [run])"
    group.addoption("--matrix-suite", default="", metavar="NAME,...", help=text)
    for axis in AXES:
        group.addoption(f"--matrix-{axis}", default="", metavar="NAME,...", help=f"{axis} to run")
    text = "engine of the cells (default: as for the command)"
    group.addoption("--matrix-engine", default="", metavar="NAME", help=text)
    group.addoption("--matrix-jobs", default=None, type=int, help="cells to run in parallel")
    group.addoption("--matrix-config", default="", metavar="FILE", help="default: matrix.toml")
    group.addoption("--matrix-build", default="", metavar="DIR", help="default: build/ next to it")


class MatrixItem(pytest.Item):
    """One check of one cell. All cells run when the first item runs."""

    def __init__(self, *, cell: str, check: str, **values: Any) -> None:
        super().__init__(name=f"{cell}::{check}", **values)
        self.cell, self.check = cell, check

    def runtest(self) -> None:
        """Pass, fail or skip as the check did."""
        from wsgi_matrix.pytest_plugin import session_run as checks  # noqa: PLC0415

        checks.held(self.config, self.cell, self.check).hold()

    def reportinfo(self) -> tuple[Path, None, str]:
        """The location of the item: the matrix file."""
        from wsgi_matrix.pytest_plugin import session_run as checks  # noqa: PLC0415

        return checks.load(self.config).matrix.file, None, f"{self.cell} {self.check}"


class MatrixCollector(pytest.Collector):
    """The cells of the selection."""

    def collect(self) -> Iterator[MatrixItem]:
        """One item for each cell and check; collecting starts nothing, since planning is pure."""
        from wsgi_matrix.pytest_plugin import session_run as checks  # noqa: PLC0415

        for cell, check in checks.load(self.config).pairs():
            yield MatrixItem.from_parent(self, cell=cell, check=check)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """With ``--matrix``, collect the cells in addition to the arguments."""
    report = yield
    if isinstance(collector, pytest.Session) and collector.config.getoption("--matrix"):
        from wsgi_matrix.pytest_plugin import session_run as checks  # noqa: PLC0415

        # A wrong selection is a usage error, not one of a node.
        checks.load(collector.config)
        made = MatrixCollector.from_parent(collector, name="matrix", nodeid="matrix")
        report.result = [*(report.result or []), made]
    return report


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize tests that use ``matrix_check`` with each cell and check."""
    if "matrix_check" not in metafunc.fixturenames:
        return
    from wsgi_matrix.pytest_plugin import session_run as checks  # noqa: PLC0415

    pairs = checks.load(metafunc.config).pairs()
    metafunc.parametrize(
        "matrix_check", pairs, indirect=True, ids=[f"{cell}-{check}" for cell, check in pairs]
    )


@pytest.fixture(scope="session")
def matrix_run(pytestconfig: pytest.Config) -> Run:
    """The selected cells, run once."""
    from wsgi_matrix.pytest_plugin import session_run as checks  # noqa: PLC0415

    return checks.run(pytestconfig)


@pytest.fixture
def matrix_check(request: pytest.FixtureRequest) -> Check:
    """One check of one cell; see :meth:`wsgi_matrix.pytest_plugin.session_run.Check.hold`."""
    from wsgi_matrix.pytest_plugin import session_run as checks  # noqa: PLC0415

    return checks.held(request.config, *request.param)


@pytest.fixture(scope="session")
def matrix_across(matrix_run: Run, pytestconfig: pytest.Config) -> list[tuple[str, CaseResult]]:
    """Red checks of the comparison of this run with all others of the same images."""
    from wsgi_matrix.pytest_plugin import session_run as checks  # noqa: PLC0415

    return checks.across(pytestconfig, matrix_run)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the grid, as the command does."""
    run = config.stash.get(RUN, None)
    if run is None:
        return
    terminalreporter.section("wsgi-matrix")
    if notice := config.stash.get(NOTICE, ""):
        terminalreporter.write_line(notice)
    from rich.console import Console  # noqa: PLC0415

    from wsgi_matrix.reports import console  # noqa: PLC0415

    output = Console(width=max(80, terminalreporter._tw.fullwidth), no_color=True)
    with output.capture() as captured:
        console.render(run, output)
    terminalreporter.write_line(captured.get())


def pytest_unconfigure(config: pytest.Config) -> None:
    """Write the grid to the step summary of a CI job."""
    run = config.stash.get(RUN, None)
    if run is not None and (summary := os.environ.get("GITHUB_STEP_SUMMARY")):
        from wsgi_matrix.reports import markdown  # noqa: PLC0415
        from wsgi_matrix.results import results_json  # noqa: PLC0415

        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(markdown.render(results_json.results(run)))
