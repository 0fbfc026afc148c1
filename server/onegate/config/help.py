"""The text of ``--help``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from textwrap import wrap

from onegate.config.arguments import ACTIONS, TRANSLATIONS, spelling
from onegate.config.option import Option
from onegate.config.settings import OPTIONS
from onegate.config.types import Flag

USAGE = "usage: onegate [options] MODULE:APP"
_WHAT = "Serve a WSGI application over HTTP/1.1."
_SOURCES = (
    "Every option can also be set by an environment variable such as ONEGATE_WORKERS, and in a file"
    " for --config. The command line takes precedence over variables, variables over the file, and"
    " the file over PORT and WEB_CONCURRENCY."
)
_COLUMN = 24
"""Where the help texts begin."""


def help_text(width: int) -> str:
    """The help, in lines of at most ``width`` characters where possible."""
    lines = [USAGE, "", _WHAT, "", "options:"]
    for name, text in (ACTIONS | TRANSLATIONS).items():
        flag = "-h, --help" if name == "help" else spelling(name)
        lines += _entry(flag + " FILE" * (name in TRANSLATIONS), text, width)
    for title, options in groupby(OPTIONS.values(), lambda option: option.group):
        lines += ["", f"{title}:"]
        for option in options:
            lines += _entry(_spellings(option), _help(option), width)
    return "\n".join([*lines, "", *wrap(_SOURCES, width)])


def _spellings(option: Option) -> str:
    if option.positional:
        return option.kind.metavar
    if isinstance(option.kind, Flag):
        return ", ".join((*option.flags, f"--no-{option.flags[-1].removeprefix('--')}"))
    return ", ".join(f"{flag} {option.kind.metavar}" for flag in option.flags)


def _help(option: Option) -> str:
    if option.default in ("", (), None):
        return option.help
    if option.kind.repeat:
        shown = ", ".join(option.default)
    else:
        shown = (option.kind.to_toml(option.default) or "").strip('"')
    return f"{option.help} (default: {shown})"


def _entry(head: str, text: str, width: int) -> Iterator[str]:
    """``head`` and the help text beside it, or below it if ``head`` is long."""
    lines = wrap(text, max(width - _COLUMN, 11), break_on_hyphens=False)
    if len(head) + 4 > _COLUMN:
        yield f"  {head}"
    else:
        yield f"  {head:{_COLUMN - 2}}{lines.pop(0)}"
    yield from (" " * _COLUMN + line for line in lines)
