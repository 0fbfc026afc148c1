"""How an option is declared, and what follows from a declaration."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, fields
from typing import Any

from onegate.settings.kinds import Kind

PREFIX = "ONEGATE_"


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option. Its flag, variable, key and row in docs/options.md follow from this."""

    name: str
    """Of the attribute of :class:`onegate.settings.Settings` and of the key in a file."""
    group: str
    default: Any
    kind: Kind
    help: str
    why: str
    """Why the default is what it is."""
    flags: tuple[str, ...]
    gunicorn: str
    """gunicorn's setting and its default; "-" if it has none."""
    uwsgi: str
    waitress: str
    others: str
    in_file: bool

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.name.upper()

    @property
    def positional(self) -> bool:
        """Whether it stands on the command line without a flag."""
        return not self.flags


def option(
    default: Any,
    kind: Kind,
    *,
    help: str,  # noqa: A002 - the name that argparse uses
    why: str,
    short: str = "",
    flag: str = "",
    positional: bool = False,
    gunicorn: str = "-",
    uwsgi: str = "-",
    waitress: str = "-",
    others: str = "",
    in_file: bool = True,
) -> Any:
    """Declare an option, as a field of a dataclass.

    ``short``: a flag of one letter. ``flag``: the long one, where it does not follow from the
    name. ``in_file``: whether it may be set in a configuration file.
    """
    metadata = {
        "kind": kind,
        "help": help,
        "why": why,
        "short": short,
        "flag": flag,
        "positional": positional,
        "gunicorn": gunicorn,
        "uwsgi": uwsgi,
        "waitress": waitress,
        "others": others,
        "in_file": in_file,
    }
    return field(default=default, metadata=metadata)


def declared(title: str, group: type) -> list[Option]:
    """The options that the dataclass ``group`` declares itself, in its order."""
    own = inspect.get_annotations(group)
    result = []
    for each in fields(group):
        if each.name not in own:
            continue
        told = dict(each.metadata)
        long = told.pop("flag") or "--" + each.name.replace("_", "-")
        flags = tuple(flag for flag in (told.pop("short"), long) if flag)
        if told.pop("positional"):
            flags = ()
        result.append(
            Option(name=each.name, group=title, default=each.default, flags=flags, **told)
        )
    return result
