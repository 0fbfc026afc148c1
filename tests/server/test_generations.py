"""``onegate.master.generations``: which one serves, which one is on trial."""

from __future__ import annotations

import errno
import os
import socket

import pytest
from onegate.config.settings import Settings
from onegate.master.fork_context import ForkContext, start
from onegate.master.generations import Generations
from onegate.net.listener import Listener
from onegate.process.hooks import Hooks

OLD, NEW = Settings(app="old:app"), Settings(app="new:app")


def context(settings: Settings) -> ForkContext:
    return ForkContext(settings, start())


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
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a network file system that is away, say. Children try again, and the master goes on."""
    generations = on_trial()
    with monkeypatch.context() as patched:
        patched.setattr(os, "fchdir", fails)
        generations.adopt()
        assert caplog.messages == ["--chdir: Input/output error"]
        with pytest.raises(OSError, match="Input/output error"):
            generations.present.context.enter()
    generations.present.context.enter()


def fails(_: int) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))
