"""``--check-config``: check everything that can be checked without serving."""

from __future__ import annotations

import logging

from onegate.process import systemd as _  # noqa: F401 - takes out of the environment what is its own
from onegate.process.hooks import Hooks
from onegate.process.standard_streams import print_output
from onegate.validate_settings import validate
from onegate.wsgi.loader import LoadError, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.config.settings import Settings


log = logging.getLogger("onegate.error")


def check(settings: Settings) -> int:
    """Check every setting, and load the application.

    Returns the exit status: 0, or 1 if the application cannot be loaded; the log says why.
    Raises :class:`onegate.SettingsError` for an invalid setting.
    """
    validate(settings)
    Hooks(settings.hooks)
    try:
        load(settings.app)
    except LoadError as error:
        log.error("%s", error)
    except BaseException:
        # SystemExit too: a module that exits while it is imported cannot be served.
        log.exception("the application %s cannot be loaded", settings.app)
    else:
        print_output(f"onegate: configuration OK, loaded {settings.app}\n")
        return 0
    return 1
