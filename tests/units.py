"""Which tests are units: they start no process and reach nothing outside of this one.

A test is marked ``unit`` unless code that it can reach starts a process: its function, its
fixtures, and what these name of this repository, followed from name to name. Calls through values
(an argument, a module that is imported by its path) cannot be followed; while a unit runs, a
:class:`Guard` looks, and such a test is marked ``process`` by hand.
"""

from __future__ import annotations

import functools
import inspect
import ipaddress
import os
import sys
import tempfile
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = str(Path(__file__).parents[1]) + os.sep
MODULES = frozenset({"docker", "multiprocessing", "pty", "subprocess"})
"""Who names one of them starts processes, or asks an engine to."""
CALLS = frozenset(
    {"fork", "forkpty", "posix_spawn", "posix_spawnp", "execv", "execve", "execvp", "spawnv"}
)
"""The same of the module ``os``."""
LOADING = frozenset({"wsgi_matrix.engines.choose", "wsgi_matrix.pytest_plugin"})
"""Modules whose functions load what starts processes by its name, when they are called."""
EVENTS = frozenset(
    {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system"}
)
"""Audit events of a process that starts, see https://docs.python.org/3/library/audit_events.html"""


class Reached:
    """Finds out whether code starts a process. What was found out is kept."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, str]] = {}

    def reason(self, value: object) -> str:
        """How ``value`` reaches something that starts a process, from name to name; or nothing."""
        if id(value) not in self._known:
            # Those that name each other in a circle add nothing to each other.
            self._known[id(value)] = value, ""
            self._known[id(value)] = value, self._reason(value)
        return self._known[id(value)][1]

    def _reason(self, value: object) -> str:
        match value:
            case types.ModuleType():
                return value.__name__ if value.__name__.partition(".")[0] in MODULES else ""
            case functools.partial():
                return self.reason(value.func)
            case staticmethod() | classmethod() | types.MethodType():
                return self.reason(value.__func__)
            case property():
                return self.reason(value.fget)
            case type():
                parts = [each for base in value.__mro__ if _ours(base) for each in _methods(base)]
                return self._first(parts)
            case types.FunctionType() if inspect.unwrap(value).__module__ in LOADING:
                return value.__module__
            case types.FunctionType() if _ours(inspect.unwrap(value)):
                return self._named(inspect.unwrap(value))
            case _ if callable(value) and hasattr(value, "__wrapped__"):  # functools.cache, say
                return self.reason(inspect.unwrap(value))
        return ""

    def _first(self, parts: list[tuple[str, object]]) -> str:
        """The reason of the first of ``parts`` that has one."""
        found = ((name, self.reason(value)) for name, value in parts)
        return next((f"{name} → {reason}" for name, reason in found if reason), "")

    def _named(self, function: types.FunctionType) -> str:
        parts: list[tuple[str, object]] = []
        for code in _codes(function.__code__):
            for name in set(code.co_names) & function.__globals__.keys():
                value = function.__globals__[name]
                parts.append((name, value))
                if value is os and (called := CALLS.intersection(code.co_names)):
                    return f"os.{min(called)}"
                if isinstance(value, types.ModuleType) and _within(getattr(value, "__file__", "")):
                    attributes = vars(value).keys() & set(code.co_names)
                    parts += [(f"{name}.{each}", vars(value)[each]) for each in attributes]
        return self._first(sorted(parts, key=lambda part: part[0]))


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """A function's own code, and that of functions within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _within(file: str | None) -> bool:
    return bool(file) and os.path.realpath(str(file)).startswith(ROOT)


def _ours(value: Any) -> bool:
    """Whether a function or class is of this repository."""
    if isinstance(value, type):
        return _within(getattr(sys.modules.get(value.__module__), "__file__", ""))
    return _within(value.__code__.co_filename)


def _methods(value: type) -> list[tuple[str, object]]:
    kinds = (types.FunctionType, staticmethod, classmethod, property)
    return [(f"{value.__name__}.{n}", v) for n, v in vars(value).items() if isinstance(v, kinds)]


def mark(items: list[pytest.Item]) -> None:
    """Mark those of ``items`` that are units."""
    reached = Reached()
    for item in items:
        if not isinstance(item, pytest.Function) or item.get_closest_marker("process"):
            continue
        # Of several fixtures of a name, each may ask for the one before.
        fixtures = item._fixtureinfo.name2fixturedefs.values()
        parts = [item.function, *(each.func for same in fixtures for each in same)]
        if not any(map(reached.reason, parts)):
            item.add_marker(pytest.mark.unit)


class Guard:
    """Lets no unit start a process, or connect to anything but this machine's loopback and sockets
    of its own. There is one for a session: an audit hook cannot be removed."""

    def __init__(self) -> None:
        self._installed = False
        self._found: list[str] | None = None

    @contextmanager
    def over(self, test: str) -> Iterator[None]:
        """Fails the test if anything was done in the block, whoever has caught the error."""
        if not self._installed:
            sys.addaudithook(self._look)
            self._installed = True
        self._found = found = []
        try:
            yield
        finally:
            self._found = None
        if found:
            pytest.fail(f"{test} is no unit, it did: {found[0]}; mark it: @pytest.mark.process")

    def _look(self, event: str, args: tuple[Any, ...]) -> None:
        if self._found is None:
            return
        if event in EVENTS or (event == "socket.connect" and _elsewhere(args[1])):
            self._found.append(f"{event} {args!r:.200}")
            raise RuntimeError(f"{event} in a test that is marked unit")


def _elsewhere(address: object) -> bool:
    """Whether the address of a socket is none of a test's own."""
    match address:
        case (str(host), *_):
            try:
                return not ipaddress.ip_address(host).is_loopback
            except ValueError:
                return host not in ("localhost", "")
        case str() | bytes():  # of a Unix socket
            path = os.fsdecode(address)
            own = os.path.realpath(tempfile.gettempdir()) + os.sep
            return bool(path) and path[0] != "\0" and not os.path.realpath(path).startswith(own)
    return False
