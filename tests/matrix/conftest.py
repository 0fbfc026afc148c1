"""Shared by the tests of the harness: a matrix of another server, engines, made-up results."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from wsgi_matrix.config import matrix_toml, plan
from wsgi_matrix.engines.choose import choose
from wsgi_matrix.engines.process.engine import ProcessEngine
from wsgi_matrix.errors import EngineError
from wsgi_matrix.model import outcome_semantics
from wsgi_matrix.model.axes import App, Cell, Limits, Python, Server
from wsgi_matrix.model.matrix_config import Config
from wsgi_matrix.model.results import CaseResult, CellResult, Image, Level, Observed, Outcome, Run
from wsgi_matrix.model.wire import Exchange
from wsgi_matrix.probe.agent import load_adjusted_clock
from wsgi_matrix.runner.run import Runner
from wsgi_matrix.suites import judge
from wsgi_matrix.suites.case import REQUESTS
from wsgi_matrix.suites.hello import suite as hello

from tests.matrix.helpers import PLAIN

HELLO = (
    b"HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 16:00:00 GMT\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n\r\nHello, World!\n"
)


class OpenFolders:
    """In place of pytest's factory, whose folders are for their owner alone: where we are root,
    cells have users of their own, and what the engine makes in a closed folder goes to the
    system's cache."""

    def __init__(self, top: Path) -> None:
        self.top = top
        top.chmod(0o711)

    def mktemp(self, basename: str, numbered: bool = True) -> Path:
        """A new folder; numbered or not, its name is not another's."""
        made = Path(tempfile.mkdtemp(prefix=f"{basename}-", dir=self.top))
        made.chmod(0o711)
        return made


@pytest.fixture(scope="session")
def tmp_path_factory() -> Iterator[OpenFolders]:
    with tempfile.TemporaryDirectory(prefix="matrix-test-", ignore_cleanup_errors=True) as name:
        yield OpenFolders(Path(name))


@pytest.fixture
def tmp_path(tmp_path_factory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("test")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def plain(tmp_path) -> Config:
    """`plain.toml`: wsgiref as the server, tiny apps, short deadlines."""
    return matrix_toml.load(PLAIN, tmp_path / "build")


@pytest.fixture(params=["process", "docker"])
def engine(request, plain):
    """Each engine that there is; a test that takes it holds for both."""
    if request.param == "process":
        yield ProcessEngine(plain.build)
        return
    try:
        chosen, _ = choose("docker", plain.build)
    except EngineError as problem:
        pytest.skip(str(problem))
    with contextlib.closing(chosen):
        yield chosen


@pytest.fixture(autouse=True, scope="module")
def the_clock_ends() -> Iterator[None]:
    """A probe needs it until it ends; here its thread would look at the machine in all tests."""
    yield
    load_adjusted_clock._clock.clear()


@pytest.fixture(autouse=True)
def no_step_summary(monkeypatch):
    """The job's step summary is for the real matrix, not for what tests do to it."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


@pytest.fixture
def process_engine(plain):
    return ProcessEngine(plain.build)


@pytest.fixture
def run_cells(plain):
    """`run_cells(engine, apps=…, limits=…)` → Run, on Python 3.11 unless told otherwise."""

    def run(engine, *, cells=None, settings=None, **axes) -> Run:
        axes = {"pythons": ("3.11",), "limits": ("default",), **axes}
        cells = cells or plan.make_cells(plain, plan.Selection(**axes))
        return Runner(
            cells, engine, settings or plain.settings, suites={"hello": hello.suite()}
        ).run()

    return run


@pytest.fixture
def result_of():
    """Made-up results: `result_of("flask", response=…, image=…, checks=…)`."""

    def make(
        app="flask",
        limits="default",
        python="3.11",
        *,
        server="onegate",
        response=HELLO,
        framework=b'{"framework": "%s", "version": "1"}',
        error="",
        image="a",
        layer="c",
        outcomes=None,
    ) -> CellResult:
        cell = Cell(
            server=Server(name=server, context=Path(), args=()),
            app=App(name=app, path=Path(), framework=app),
            limits=Limits(name=limits, nofile=256),
            python=Python(version=python),
        )
        said = framework.replace(b"%s", app.encode())
        answers = {"hello": response, "framework": HELLO.replace(b"Hello, World!\n", said)}
        checks = tuple(
            CaseResult(
                id=check,
                level=Level.MUST,
                outcome=(outcomes or {}).get(check, Outcome.PASS),
                detail="because" if check in (outcomes or {}) else "",
            )
            for check in (judge.START, *(case.id for case in hello.CASES))
        )
        return CellResult(
            cell=cell,
            outcome=outcome_semantics.overall(checks),
            checks=checks,
            seconds=0.5,
            image=Image(
                id="sha256:" + image * 64, server_layer="sha256:" + layer * 64, base="debian:x"
            ),
            framework_version="1",
            observed=Observed(nofile=256),
            exchanges={
                name: Exchange(
                    request=REQUESTS[name], response=raw, seconds=0.1, error=error, end="open"
                )
                for name, raw in answers.items()
            },
        )

    return make


@pytest.fixture
def run_of():
    """A made-up run of made-up results."""

    def make(*results: CellResult, **values) -> Run:
        run = Run(
            engine="process",
            engine_version="3.11.7",
            where="processes, NOT containers",
            kernel="Linux 6",
            started="2026-11-23T16:00:00Z",
            seconds=1.0,
            phases={"bundles": 0.1, "cells": 0.9},
            cells=tuple(results),
        )
        return replace(run, **values)

    return make


@pytest.fixture
def check():
    """`check(run, cell_id, check_id)` → CaseResult."""

    def find(run: Run, cell: str, check_id: str) -> CaseResult:
        result = next(result for result in run.cells if result.cell.id == cell)
        return next(found for found in result.checks if found.id == check_id)

    return find
