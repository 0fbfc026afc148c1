"""The command ``onegate``."""

from __future__ import annotations

import os
import sys

from onegate import log
from onegate.master import Master
from onegate.settings import SettingsError, from_arguments


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; return the exit status.

    0: stopped as asked. 1: the application could not be loaded. 2: wrong usage, or an address
    that cannot be bound.
    """
    settings = from_arguments(sys.argv[1:] if arguments is None else arguments)
    log.configure()
    try:
        if settings.chdir:
            try:
                os.chdir(settings.chdir)
            except OSError as error:
                raise SettingsError(f"--chdir {settings.chdir}: {error.strerror}") from None
        return Master(settings, lambda: settings).run()
    except SettingsError as error:
        print(f"onegate: {error}", file=sys.stderr)
        return 2
