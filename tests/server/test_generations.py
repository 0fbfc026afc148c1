"""``onegate.master.generations``: which one serves, which one is on trial."""

from __future__ import annotations

import errno
import os
import socket
from typing import TYPE_CHECKING

import pytest
from onegate.config.settings import Settings
from onegate.master.execution_environment import ExecutionEnvironment, start
from onegate.master.generations import Generations
from onegate.master.process_table import Child, Role
from onegate.net.listeners import Listener
from onegate.process.hooks import Hooks, Worker

from tests.server.masters import uninstall_logs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOBODY = 1 << 22
"""More than a pid can be: a signal to it reaches nobody."""
OLD, NEW = Settings(app="old:app"), Settings(app="new:app")


CONTEXTS: list[ExecutionEnvironment] = []
"""Those of this test, to be closed."""


@pytest.fixture(autouse=True)
def closed_contexts() -> Iterator[None]:
    yield
    while CONTEXTS:
        CONTEXTS.pop().close()
    uninstall_logs()


def context(settings: Settings) -> ExecutionEnvironment:
    CONTEXTS.append(ExecutionEnvironment(settings, start()))
    return CONTEXTS[-1]


def listener(name: str) -> Listener:
    return Listener(sock=socket.socket, name=name, server_name="a", server_port="1")


def on_trial() -> Generations:
    generations = Generations(OLD, context(OLD))
    generations.present.listeners = [listener("old")]
    generations.put_on_trial(NEW, context(NEW), Hooks(), [listener("new")], listener("status"))
    return generations


def names(generations: Generations) -> list[str]:
    return [each.name for each in generations.all_listeners()]


def test_the_first_is_present_and_not_on_trial() -> None:
    generations = Generations(OLD, context(OLD))
    assert not generations.on_trial
    assert generations.present is generations.proven
    assert generations.known == [generations.present]


def test_on_trial_both_are_needed_and_the_old_settings_hold() -> None:
    generations = on_trial()
    assert generations.on_trial
    assert generations.present.settings is NEW
    assert generations.proven.settings is OLD
    assert names(generations) == ["old", "new", "status"]


def test_adopted() -> None:
    generations = on_trial()
    replaced = generations.adopt()
    assert replaced.settings is OLD
    assert generations.present is generations.proven
    assert names(generations) == ["new", "status"]


def test_gone_back() -> None:
    generations = on_trial()
    failed = generations.go_back()
    assert failed.settings is NEW
    assert generations.proven.settings is OLD
    assert not generations.on_trial
    assert names(generations) == ["old"]


def test_a_number_is_never_given_again() -> None:
    generations = on_trial()
    assert generations.go_back().number == 2
    assert generations.present.number == 1
    generations.put_on_trial(NEW, context(NEW), Hooks(), [], None)
    assert generations.present.number == 3


def test_adopted_though_its_directory_cannot_be_entered(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of a network file system that is away, say. Children try again, and the master goes on."""
    generations = on_trial()
    with monkeypatch.context() as patched:
        patched.setattr(os, "fchdir", fails)
        generations.adopt()
        assert capfd.readouterr().err.endswith(" ERROR --chdir: Input/output error\n")
        with pytest.raises(OSError, match="Input/output error"):
            generations.present.context.enter()
    generations.present.context.enter()


def fails(_: int) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


# ── zygotes ──────────────────────────────────────────────────────────────────────────────────────


class Line:
    """In the place of the socket to a zygote."""

    closed = False

    def close(self) -> None:
        self.closed = True


def a_child(role: Role = Role.ZYGOTE) -> Child:
    return Child(NOBODY, role, 1, -1, None, Worker(1, OLD))


def test_a_generation_has_a_zygote_until_that_ends() -> None:
    generations = Generations(OLD, context(OLD))
    present, child, line = generations.present, a_child(), Line()
    assert not present.zygote_serves
    assert not present.is_zygote(child)
    present.zygote_started(child, line)  # type: ignore[arg-type]
    assert present.is_zygote(child)
    assert not present.zygote_serves
    child.reported_serving()
    assert present.zygote_serves
    generations.zygote_ended(a_child())
    assert present.zygote_serves
    child.terminate(1.0)
    assert not present.zygote_serves
    generations.zygote_ended(child)
    assert line.closed
    assert present.zygote is None
    assert not present.zygote_serves


# ── what hooks see ───────────────────────────────────────────────────────────────────────────────


def with_hooks(folder: Path, settings: Settings) -> Generations:
    """Each hook that is called is noted on the server."""
    names = ("pre_fork", "child_exit", "on_reload")
    (folder / "hooks.py").write_text(
        "".join(
            f"def {name}(server, *args):\n"
            f"    server.__dict__.setdefault('called', []).append(('{name}', server.cfg.app))\n"
            for name in names
        )
    )
    settings = settings.replace(hooks=str(folder / "hooks.py"))
    return Generations(settings, context(settings))


def test_a_hook_sees_the_settings_of_its_generation_or_those_it_is_given(tmp_path: Path) -> None:
    generations = with_hooks(tmp_path, OLD)
    first = generations.present
    generations.put_on_trial(NEW, context(NEW), Hooks(), [], None)
    generations.call("on_reload", of=first, cfg=NEW)
    generations.call("on_reload", of=first)
    generations.call("on_reload")  # of the new one, which has none
    assert vars(generations.server)["called"] == [
        ("on_reload", "new:app"),
        ("on_reload", "old:app"),
    ]
    assert generations.server.cfg is NEW


def test_workers_have_an_age_and_are_known_while_they_live(tmp_path: Path) -> None:
    generations = with_hooks(tmp_path, OLD)
    server = generations.server
    worker = generations.next_worker(generations.present)
    assert (worker.age, server.worker_age) == (1, 0)
    generations.worker_begins(worker, generations.present)
    assert server.worker_age == 1
    child = Child(7, Role.WORKER, 1, -1, None, worker)
    generations.worker_started(child)
    assert dict(server.WORKERS) == {7: worker}
    assert worker.pid == 7
    generations.worker_ended(child)
    assert not server.WORKERS
    assert [name for name, _ in vars(server)["called"]] == ["pre_fork", "child_exit"]
    assert generations.next_worker(generations.present).age == 2


def test_of_is_the_one_of_that_number_or_the_present_one() -> None:
    generations = on_trial()
    assert generations.of(1).settings is OLD
    assert generations.of(2).settings is NEW
    assert generations.of(7).settings is NEW
