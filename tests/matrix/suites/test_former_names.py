"""Names of before version 0.2 are refused with the name of today, and no name means two things."""

from __future__ import annotations

from dataclasses import fields

import pytest
from wsgi_matrix.config import matrix_toml, plan
from wsgi_matrix.engines.registry import choices
from wsgi_matrix.errors import ConfigError, UserError
from wsgi_matrix.suites import former_names, judge, registry

from tests.matrix.helpers import HERE

RENAMED = {
    "rules": "conformance",
    "slow": "slow_clients",
    "stop": "shutdown",
    "limits": "fd_scaling",
}
XFAIL = '[[xfail]]\nsuite = "{}"\ncells = ["*"]\nchecks = ["{}"]\nreason = "known"\n'


def said(old: str, new: str) -> str:
    return f'the suite "{old}" was renamed to "{new}" in wsgi-matrix 0.2'


@pytest.fixture
def read(tmp_path):
    """`read(more)`: plain.toml with more in it."""

    def read(more):
        file = tmp_path / "matrix.toml"
        file.write_text((HERE / "plain.toml").read_text() + more)
        return matrix_toml.load(file)

    return read


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_a_suite_is_refused_by_its_former_name(plain, read, old, new):
    with pytest.raises(UserError, match=f"^--suite: {said(old, new)}$"):
        plan.make_cells(plain, plan.Selection(suites=("hello", old)))
    for more, key in (
        (f"[suites.{old}]\n", f"suites.{old}"),
        (XFAIL.format(old, "*"), r"xfail.1.suite"),
    ):
        with pytest.raises(ConfigError, match=f": {key}: {said(old, new)}$"):
            read(more)


def test_run_is_refused_with_a_former_name(tmp_path):
    file = tmp_path / "matrix.toml"
    file.write_text('[run]\nbuilt_in = true\nsuites = ["slow"]\n[apps.a]\npath = "."\n')
    with pytest.raises(ConfigError, match=f": run.suites: {said('slow', 'slow_clients')}$"):
        matrix_toml.load(file)


@pytest.mark.parametrize(
    ("suite", "old", "new"),
    [
        ("hello", "hello", "hello-response"),
        ("hello", "stop", "clean-exit"),
        ("contract", "limits", "limits-applied"),
        ("fd_scaling", "hello", "hello-response"),
        ("shutdown", "stop.in_flight", "shutdown.in_flight"),
    ],
)
def test_an_xfail_of_a_check_is_refused_by_its_former_name(read, suite, old, new):
    with pytest.raises(
        ConfigError, match=f'xfail.1.checks: the check "{old}" was renamed to "{new}"'
    ):
        read(XFAIL.format(suite, old))


def test_an_exchange_of_the_contract_may_have_the_name_of_a_former_check(read):
    assert read(XFAIL.format("contract", "hello")).xfails[0].checks == ("hello",)


def test_an_xfail_of_a_suite_that_there_is_not_is_refused(read):
    with pytest.raises(ConfigError, match='unknown suite "helo"; did you mean "hello"'):
        read(XFAIL.format("helo", "*"))


def test_no_check_is_called_as_an_axis_a_suite_or_an_engine_is(plain):
    """Those of the contract are names of exchanges, and those of traffic are numbered."""
    axes = {each.name for each in fields(plan.Selection)}
    taken = {*axes, *registry.types(), *choices(), *RENAMED}
    names = [name for name in registry.types() if name not in ("contract", "traffic")]
    checks = {case.id for name in names for case in registry.build(plain, name).cases}
    assert len(checks) > 200
    assert {judge.START, *checks} & taken == set()


def test_every_former_name_is_told():
    assert {old: former_names.suite(old) for old in RENAMED} == RENAMED
    assert former_names.suite("") == former_names.suite("hello") == ""
