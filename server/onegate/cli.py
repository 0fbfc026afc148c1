"""The command ``onegate``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onegate import log
from onegate.master import Master
from onegate.settings import Settings, SettingsError
from onegate.settings.arguments import TRANSLATIONS, chosen, parse
from onegate.settings.sources import combine


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; return the exit status.

    0: stopped as asked. 1: the application could not be loaded. 2: wrong usage, or an address
    that cannot be bound.
    """
    asked = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        for origin in TRANSLATIONS:
            if path := asked.get(origin):
                from onegate.migrate import translate  # noqa: PLC0415 - to serve needs none of it

                text, lost = translate(origin, Path(path))
                print(text, end="")
                return 1 if lost else 0
        sources = Sources(chosen(asked))
        if "print_config" in asked:
            print(sources.shown(), end="")
            return 0
        settings = sources.read()
        if "check_config" in asked:
            from onegate.check import check  # noqa: PLC0415 - to serve needs none of it

            return check(settings)
        return Master(settings, sources.read).run()
    except SettingsError as error:
        print(f"onegate: {error}", file=sys.stderr)
        return 2


class Sources:
    """A command line together with the environment and the folder in which it was given.

    They are kept, because a setting may change both: read again, say after SIGHUP, a file must
    mean the same as at the start.
    """

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._arguments = arguments
        self._environ = dict(os.environ)
        self._folder = Path.cwd()

    def shown(self) -> str:
        """The settings in TOML, each with where it came from."""
        from onegate.settings.show import show  # noqa: PLC0415 - to serve needs none of it

        return show(combine(self._arguments, self._environ))

    def read(self) -> Settings:
        """The settings as the sources say now. Environment, folder, umask and log become theirs.

        Raises :class:`SettingsError`, and leaves everything as it was.
        """
        before = Path.cwd()
        try:
            os.chdir(self._folder)
            settings = combine(self._arguments, self._environ).settings
            if not settings.app:
                raise SettingsError("which application? onegate MODULE:APP")
            _enter(settings.chdir)
            log.configure(settings)
        except SettingsError:
            os.chdir(before)
            raise
        os.environ.clear()
        os.environ.update(self._environ, **dict(settings.env))
        if settings.umask is not None:
            os.umask(settings.umask)
        return settings


def _enter(folder: str) -> None:
    if folder:
        try:
            os.chdir(folder)
        except OSError as error:
            raise SettingsError(f"--chdir {folder}: {error.strerror}") from None
