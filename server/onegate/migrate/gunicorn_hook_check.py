"""Attributes of gunicorn's objects that hooks of a gunicorn.conf.py use and onegate lacks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from onegate.config.settings import OPTIONS, Settings
from onegate.process.hooks import HOOKS, Server, Worker

_SETTINGS = Settings(app="")
_KNOWN = {
    "server": {*vars(Server(0, _SETTINGS)), "address"},
    "worker": {*vars(Worker(0, _SETTINGS))},
}
_ARGUMENTS = {
    **dict.fromkeys(HOOKS, ("server", "worker")),
    **dict.fromkeys(("post_worker_init", "worker_int", "worker_abort"), ("worker",)),
    "nworkers_changed": ("server",),
}
"""What each hook gets, as far as it is an object of the server's."""


def missing_attributes(path: Path) -> list[str]:
    """For each attribute that a hook in ``path`` reads and that is not there, a line that says so.

    What a hook sets itself is there. Only what stands in the hook itself is found, not what a
    function does that it calls.
    """
    hooks = [
        node
        for node in ast.parse(path.read_bytes()).body
        if isinstance(node, ast.FunctionDef) and node.name in HOOKS
    ]
    used = [(hook.name, *each) for hook in hooks for each in _used(hook)]
    own = {(thing, name) for _, thing, name, read in used if not read}
    found: list[str] = []
    for hook, thing, name, read in used:
        of_settings = thing.endswith(".cfg")
        there = OPTIONS.keys() if of_settings else _KNOWN[thing] | set(dir(object))
        if read and name not in there and (thing, name) not in own:
            why = "use onegate's name for the option" if of_settings else "no such attribute"
            found.append(f"{hook} uses {thing}.{name}: {why}")
    return list(dict.fromkeys(found))


def _used(hook: ast.FunctionDef) -> Iterator[tuple[str, str, bool]]:
    """Object, attribute, and whether it is read, of each that ``hook`` takes of its arguments."""
    things = dict(zip((each.arg for each in hook.args.args), _ARGUMENTS[hook.name], strict=False))
    for node in ast.walk(hook):
        if not isinstance(node, ast.Attribute):
            continue
        read = isinstance(node.ctx, ast.Load)
        value = node.value
        if isinstance(value, ast.Name) and value.id in things:
            yield things[value.id], node.attr, read
        elif (
            isinstance(value, ast.Attribute)
            and value.attr == "cfg"
            and isinstance(value.value, ast.Name)
            and value.value.id in things
        ):
            yield f"{things[value.value.id]}.cfg", node.attr, read
