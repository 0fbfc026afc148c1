"""The workflows: CI runs all that there is, and nothing that can change without a commit here."""

from __future__ import annotations

import configparser
import re
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted(GITHUB.glob("workflows/*.yml"))
FILES = [*WORKFLOWS, *sorted(GITHUB.glob("actions/*/action.yml"))]
USES = re.compile(r"uses: (\S+)(?: # (\S+))?$", re.MULTILINE)


def jobs(workflow: str) -> dict[str, dict[str, Any]]:
    """The jobs of a workflow, by their names."""
    text = (GITHUB / "workflows" / workflow).read_text(encoding="utf-8")
    return dict(yaml.safe_load(text)["jobs"])


def commands(job: dict[str, Any]) -> list[str]:
    """What a job runs, once for each combination of its matrix."""
    found = []
    for values in job.get("strategy", {}).get("matrix", {}).get("include", [{}]):
        for step in job["steps"]:
            command = step.get("run", "")
            for name, value in values.items():
                command = command.replace(f"${{{{ matrix.{name} }}}}", value)
            found.append(command)
    return found


def tox() -> configparser.ConfigParser:
    result = configparser.ConfigParser(interpolation=None)
    result.read(ROOT / "tox.ini")
    return result


def test_the_jobs_together_run_every_environment() -> None:
    """Of `make test`, each once; and of the Pythons, each that the matrix has."""
    every = list(chain.from_iterable(map(commands, jobs("ci.yml").values())))
    ran = [
        name
        for command in every
        for found in re.findall(r'^make test TOX_ARGS="-e (\S+)"$', command, re.MULTILINE)
        for name in found.split(",")
    ]
    matrix = tomllib.loads((ROOT / "matrix.toml").read_text(encoding="utf-8"))
    # toxfile.py adds the apps.
    wanted = {name.strip() for name in tox()["tox"]["env_list"].split(",")} | set(matrix["apps"])
    # One job runs what the others leave, so that an app is no line in it.
    [rest] = [
        step["env"]["TOX_SKIP_ENV"]
        for job in jobs("ci.yml").values()
        for step in job["steps"]
        if step.get("run") == "make test"
    ]
    ran += [name for name in wanted if not re.match(rest, name)]
    assert len(ran) == len(set(ran))
    others = {name for name in ran if re.fullmatch(r"py\d+", name)}
    assert set(ran) - others == wanted
    pythons = [each["python"] for each in jobs("ci.yml")["unit"]["strategy"]["matrix"]["include"]]
    assert set(pythons) == set(matrix["pythons"])
    # The environment server runs on the Python of the tools.
    assert others == {f"py{each.replace('.', '')}" for each in pythons[1:]}
    assert "make dist" in every


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(GITHUB)))
def test_actions_of_others_are_pinned_by_commit(file: Path) -> None:
    """A tag can be moved; the version is in a comment, where Dependabot updates it."""
    for name, version in USES.findall(file.read_text(encoding="utf-8")):
        if name.startswith("./"):
            assert (ROOT / name / "action.yml").is_file()
        else:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", name)
            assert re.fullmatch(r"v\d+\.\d+\.\d+", version)


def test_one_action_has_one_version() -> None:
    used = [each for file in FILES for each in USES.findall(file.read_text(encoding="utf-8"))]
    assert len({name.partition("@")[0] for name, _ in used}) == len(set(used))


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda path: path.name)
def test_jobs_end_by_themselves_and_may_write_only_what_they_say(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert yaml.safe_load(text)["permissions"] in ({}, {"contents": "read"})
    for job in jobs(file.name).values():
        assert 0 < job["timeout-minutes"] <= 120
        writes = {k for k, v in job.get("permissions", {}).items() if v != "read"}
        assert writes <= ({"id-token", "attestations"} if file.name == "release.yml" else set())
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_a_release_takes_nothing_from_a_cache() -> None:
    """Other workflows write caches, and what is in one would be signed with our name."""
    text = (GITHUB / "workflows" / "release.yml").read_text(encoding="utf-8")
    assert "actions/cache" not in text
    assert "./.github" not in text
    assert not re.search(r"^\s+cache:", text, re.MULTILINE)


def test_only_the_job_that_runs_no_code_of_ours_can_publish() -> None:
    release = jobs("release.yml")
    for name, job in release.items():
        trusted = "id-token" in job.get("permissions", {})
        assert trusted == (name in ("attest", "publish"))
        assert not (trusted and any("run" in step for step in job["steps"]))
    assert release["publish"]["environment"] == "pypi"
    assert set(release["publish"]["needs"]) == {"build", "attest"}
