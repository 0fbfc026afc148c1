"""What the command says about itself: help, version, complaints."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from itertools import groupby
from textwrap import wrap

from onegate import stdio
from onegate._version import __version__
from onegate.settings.arguments import ACTIONS, TRANSLATIONS, spelling
from onegate.settings.declare import Option
from onegate.settings.kinds import Flag
from onegate.settings.model import OPTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


_USAGE = "usage: onegate [options] MODULE:APP"
_WHAT = "Serve a WSGI application over HTTP/1.1."
_SOURCES = (
    "Every option can also be set by a variable such as ONEGATE_WORKERS and in a file for --config;"
    " the command line comes first, then variables, then the file, then PORT and WEB_CONCURRENCY."
)
_COLUMN = 24
"""Where the explanations begin."""


def complain(text: str) -> NoReturn:
    """End the program as one that is used wrongly."""
    stdio.complain(f"{_USAGE}\nonegate: error: {text}")
    sys.exit(2)


def tell(*, version: bool) -> NoReturn:
    """Print the version, or else the help, and end the program."""
    text = f"onegate {__version__}" if version else manual(shutil.get_terminal_size().columns - 2)
    stdio.tell(text + "\n")
    sys.exit(0)


def manual(width: int) -> str:
    """The help, in lines of at most ``width`` characters where that is possible."""
    lines = [_USAGE, "", _WHAT, "", "options:"]
    for name, text in (ACTIONS | TRANSLATIONS).items():
        flag = "-h, --help" if name == "help" else spelling(name)
        lines += _entry(flag + " FILE" * (name in TRANSLATIONS), text, width)
    for title, options in groupby(OPTIONS.values(), lambda option: option.group):
        lines += ["", f"{title}:"]
        for option in options:
            lines += _entry(_spellings(option), _explanation(option), width)
    return "\n".join([*lines, "", *wrap(_SOURCES, width)])


def _spellings(option: Option) -> str:
    if option.positional:
        return option.kind.metavar
    if isinstance(option.kind, Flag):
        return ", ".join((*option.flags, f"--no-{option.flags[-1].removeprefix('--')}"))
    return ", ".join(f"{flag} {option.kind.metavar}" for flag in option.flags)


def _explanation(option: Option) -> str:
    if option.default in ("", (), None):
        return option.help
    return f"{option.help} (default: {option.kind.show(option.default)})"


def _entry(head: str, text: str, width: int) -> Iterator[str]:
    """``head`` and beside it, or below it if it is long, the explanation."""
    lines = wrap(text, max(width - _COLUMN, 11))
    if len(head) + 4 > _COLUMN:
        yield f"  {head}"
    else:
        yield f"  {head:{_COLUMN - 2}}{lines.pop(0)}"
    yield from (" " * _COLUMN + line for line in lines)
