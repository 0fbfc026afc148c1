"""The command ``onegate``."""

from __future__ import annotations

import gc
import sys

from onegate._version import __version__
from onegate.errors import SettingsError
from onegate.logs import error_log
from onegate.master.fork_context import ForkContext, start
from onegate.process import subreaper
from onegate.process.hooks import HookError
from onegate.process.stdio import complain, make_harmless, open_missing, tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from onegate.config.settings import Settings
    from onegate.master.fork_context import Start


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; return the exit status.

    0: stopped as asked. 1: the application could not be loaded, or the hook on_starting failed.
    2: wrong usage, or an address that cannot be bound.
    """
    open_missing()
    subreaper.take_mark()
    try:
        asked, given = _parsed(sys.argv[1:] if arguments is None else arguments)
        if (status := _translated(asked)) is not None:
            return status
        sources = Sources(given)
        if "print_config" in asked:
            tell(sources.shown())
            return 0
        settings = sources.read()
        if settings.preload and arguments is None and "check_config" not in asked:
            subreaper.begin_anew()
        context = ForkContext(settings, sources.start)
        context.enter()
        if "check_config" in asked:
            from onegate.check_config import check  # noqa: PLC0415 - to serve needs none of it

            return check(settings)
        make_harmless()
        from onegate.master.master import Master  # noqa: PLC0415 - in the room that forget() has made

        return Master(settings, context, sources.read).run()
    except SettingsError as error:
        if error_log.has_file():
            error_log.log.error("%s", error)
        complain(f"onegate: {error}")
        return 2
    except HookError:
        return 1


def _parsed(arguments: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a command line says: all, and the settings among it.

    Ends the program with status 2 and a line on standard error if it is wrong, with 0 after
    ``--help`` and ``--version``.
    """
    from onegate.config.arguments import UsageError, chosen, parse  # noqa: PLC0415 - see forget

    try:
        found = parse(arguments)
    except UsageError as error:
        from onegate.config.help import USAGE  # noqa: PLC0415 - to serve needs none of it

        complain(f"{USAGE}\nonegate: error: {error}")
        sys.exit(2)
    if "version" in found:
        tell(f"onegate {__version__}\n")
        sys.exit(0)
    if "help" in found:
        from shutil import get_terminal_size  # noqa: PLC0415 - to serve needs none of it

        from onegate.config.help import manual  # noqa: PLC0415

        tell(f"{manual(get_terminal_size().columns - 2)}\n")
        sys.exit(0)
    return found, chosen(found)


def _translated(asked: Mapping[str, Any]) -> int | None:
    """The exit status if another server's configuration was to be translated."""
    for origin in ("from_gunicorn", "from_uwsgi"):
        if path := asked.get(origin):
            from pathlib import Path  # noqa: PLC0415 - to serve needs none of it

            from onegate.migrate import translate  # noqa: PLC0415

            text, lost = translate(origin, Path(path))
            tell(text)
            return 1 if lost else 0
    return None


class Sources:
    """A command line together with the environment and the directory in which it was given.

    They are kept, because a setting may change both: read again, say after SIGHUP, a file must
    mean the same as at the start.
    """

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._arguments = arguments
        self.start = start()
        self._names: set[str] = set()

    def shown(self) -> str:
        """The settings in TOML, each with where it came from."""
        from onegate.config.dump import show  # noqa: PLC0415 - to serve needs none of it
        from onegate.config.sources import combine  # noqa: PLC0415 - see forget

        return show(combine(self._arguments, self.start.environ, self.start.directory))

    def read(self) -> Settings:
        """The settings as the sources say now. Nothing is changed by that.

        Raises :class:`SettingsError`.
        """
        settings = self._combined()
        if not settings.app:
            raise SettingsError("no application given; run onegate MODULE:APP")
        return settings

    def _combined(self) -> Settings:
        if self._names:
            # The collection in forget() writes to what it looks at, and a page that is written to
            # is shared with the workers no more. So it is to look at nothing from before.
            gc.freeze()
        try:
            settings = _combine(self._arguments, self.start)
            names = set(vars(settings))
            if self._names not in (names, set()):
                raise ImportError("it declares different settings")
        except SettingsError:
            raise
        except Exception as error:
            if not self._names:
                raise
            # What runs is another version than what lies on the disk, or half of it.
            raise SettingsError(
                f"the installed onegate has changed since it was started ({error}); send USR2 to"
                " start the new one"
            ) from None
        finally:
            forget()
            gc.unfreeze()
        self._names = names
        return settings


def _combine(arguments: Mapping[str, Any], start: Start) -> Settings:
    from onegate.config.sources import combine  # noqa: PLC0415 - see forget

    return combine(arguments, start.environ, start.directory).settings.bare()


def forget() -> None:
    """Give back the modules that declare and read the settings.

    They are 0.2 MiB, which every worker would have as a fork of the master, and which nobody needs
    before the settings are read again. What was read is a bare record, which holds on to none.
    """
    package = vars(sys.modules["onegate.config"])
    for name in [name for name in sys.modules if name.startswith("onegate.config.")]:
        del sys.modules[name]
        package.pop(name.rpartition(".")[2], None)
    gc.collect()
