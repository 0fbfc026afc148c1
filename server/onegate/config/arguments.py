"""The command line.

It is parsed here and not by ``argparse``, of which 0.8 MiB would stay in the master and in every
worker forked from it. The rules are the usual ones (POSIX.1-2017, 12.2, and GNU's long options),
without abbreviations. The help is in :mod:`onegate.config.help`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from onegate.config.settings import OPTIONS
from onegate.config.types import Flag, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


ACTIONS = {
    "help": "show this help and exit",
    "version": "show the version and exit",
    "check_config": "check the settings, load the application and exit, without serving; exit"
    " status 0: OK, 1: the application cannot be loaded, 2: a setting is invalid",
    "print_config": "print every setting and its source, as a file for --config, and exit",
}


TRANSLATIONS = {
    "from_gunicorn": "translate a gunicorn configuration file (Python) into a file for --config,"
    " with comments on what has no equivalent; exit status 1 if that changes what is served",
    "from_uwsgi": "translate a uWSGI ini file in the same way",
}


class UsageError(Exception):
    """The command line is wrong; the text says where."""


def parse(arguments: Sequence[str]) -> dict[str, Any]:
    """Parse a command line: the settings that it contains, and those of :data:`ACTIONS` and
    :data:`TRANSLATIONS` that it requests.

    Raises :class:`UsageError`.
    """
    return _Reader(arguments).found


def settings_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """The settings among what was parsed."""
    return {name: value for name, value in found.items() if name in OPTIONS}


def spelling(name: str) -> str:
    """The flag of an action."""
    return "--" + name.replace("_", "-")


class _Reader:
    """Reads a command line word by word."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.found: dict[str, Any] = {}
        self._flags = _flags()
        self._words = deque(arguments)
        while self._words:
            word = self._words.popleft()
            if word == "--":
                break
            if self._is_flag(word):
                self._flag(word)
            else:
                self._positional(word)
        for word in self._words:
            self._positional(word)

    def _is_flag(self, word: str) -> bool:
        # A word with a space is a value, for example a format of the access log.
        name = word.partition("=")[0]
        return name in self._flags or (len(word) > 1 and word[0] == "-" and " " not in name)

    def _positional(self, word: str) -> None:
        option = next(each for each in OPTIONS.values() if each.positional)
        if option.name in self.found:
            raise UsageError(f"unexpected argument {word!r}: only one application can be served")
        self._take(option.kind.metavar, option.name, option.kind, word)

    def _flag(self, word: str) -> None:
        flag, equals, text = word.partition("=")
        if flag not in self._flags and word[1] != "-":
            flag, equals, text = word[:2], word[2:3], word[2:]
        if flag not in self._flags:
            from onegate._suggest import hint  # noqa: PLC0415 - only for a mistake

            known = [each for each in self._flags if each.startswith("--")]
            raise UsageError(f"unknown option {flag}{hint(flag, known)}")
        name, meaning = self._flags[flag]
        if not isinstance(meaning, Kind):
            if equals:
                raise UsageError(f"option {flag} takes no value")
            self.found[name] = meaning
            return
        if not equals:
            if not self._words or self._is_flag(self._words[0]):
                raise UsageError(f"option {flag} needs a value")
            text = self._words.popleft()
        self._take(flag, name, meaning, text)

    def _take(self, spelled: str, name: str, kind: Kind, text: str) -> None:
        try:
            value = kind.parse(text)
        except ValueError:
            raise UsageError(
                f"{spelled}: invalid value {text!r}, expected {kind.expects}"
            ) from None
        self.found[name] = (*self.found.get(name, ()), value) if kind.repeat else value


def _flags() -> dict[str, tuple[str, Kind | bool]]:
    """For every flag, what it sets, and the kind of its value or, if it takes none, that value."""
    flags: dict[str, tuple[str, Kind | bool]] = {"-h": ("help", True)}
    flags |= {spelling(name): (name, True) for name in ACTIONS}
    flags |= {spelling(name): (name, Kind("FILE")) for name in TRANSLATIONS}
    for option in OPTIONS.values():
        for flag in option.flags:
            if isinstance(option.kind, Flag):
                flags[flag] = option.name, True
                flags[f"--no-{flag.removeprefix('--')}"] = option.name, False
            else:
                flags[flag] = option.name, option.kind
    return flags
