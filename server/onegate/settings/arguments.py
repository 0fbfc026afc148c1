"""The command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, NoReturn

from onegate import __version__
from onegate.settings.declare import Option
from onegate.settings.kinds import Flag, Kind
from onegate.settings.model import OPTIONS
from onegate.settings.nearest import hint

ACTIONS = {
    "check_config": "check the settings and load the application, but serve nothing; exit status"
    " 0: all is well, 1: the application cannot be loaded, 2: a setting cannot be used",
    "print_config": "print every setting and where it came from, as a file for --config",
}


class _Parser(argparse.ArgumentParser):
    """Names what a wrong flag may have been meant to be; takes no abbreviations."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse, with a better message."""
        result, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self._unknown(unknown[0])
        return result

    def _unknown(self, argument: str) -> NoReturn:
        if not argument.startswith("-"):
            self.error(f"unexpected argument {argument!r}: one application is served")
        name = argument.partition("=")[0]
        known = [flag for flag in self._option_string_actions if flag.startswith("--")]
        self.error(f"there is no option {name}{hint(name, known)}")


def parser() -> argparse.ArgumentParser:
    """The command line of :class:`onegate.settings.Settings`. Nothing given is None."""
    result = _Parser(
        prog="onegate",
        usage="onegate [options] MODULE:APP",
        description="Serve a WSGI application over HTTP/1.1.",
        epilog="Every option can also be set by a variable such as ONEGATE_WORKERS and in a file"
        " for --config; the command line comes first, then variables, then the file, then PORT and"
        " WEB_CONCURRENCY.",
        allow_abbrev=False,
    )
    result.add_argument("--version", action="version", version=f"onegate {__version__}")
    for name, text in ACTIONS.items():
        result.add_argument(_flag(name), action="store_true", help=text)
    for title, options in groupby(OPTIONS.values(), lambda option: option.group):
        group = result.add_argument_group(title)
        for option in options:
            _add(group, option)
    return result


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _add(group: argparse._ArgumentGroup, option: Option) -> None:
    default = option.kind.show(option.default)
    says = (
        option.help if option.default in ("", (), None) else f"{option.help} (default: {default})"
    )
    says = says.replace("%", "%%")
    if option.positional:
        group.add_argument(
            option.name,
            nargs="?",
            metavar=option.kind.metavar,
            type=_reader(option.kind),
            help=says,
        )
    elif isinstance(option.kind, Flag):
        group.add_argument(
            *option.flags,
            dest=option.name,
            action=argparse.BooleanOptionalAction,
            default=None,
            help=says,
        )
    else:
        group.add_argument(
            *option.flags,
            dest=option.name,
            type=_reader(option.kind),
            action="append" if option.kind.repeat else "store",
            metavar=option.kind.metavar,
            help=says,
        )


def _reader(kind: Kind) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return kind.read(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not {kind.expects}") from None

    return read


def given(arguments: Sequence[str]) -> dict[str, Any]:
    """The settings that a command line names. Exits with status 2 and a line on standard error if
    it is wrong."""
    return chosen(parser().parse_args(arguments))


def chosen(namespace: argparse.Namespace) -> dict[str, Any]:
    """The settings among what was parsed."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in vars(namespace).items()
        if name in OPTIONS and value is not None
    }
