"""The command ``onegate``."""

from __future__ import annotations

import gc
import sys

from onegate._version import __version__
from onegate.logs import error_log, log_files
from onegate.master.execution_environment import ExecutionEnvironment, start
from onegate.process import subreaper
from onegate.process.hooks import HookError
from onegate.process.standard_streams import (
    ignore_write_errors,
    open_missing,
    print_error,
    print_output,
)
from onegate.settings_error import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from onegate.config.settings import Settings
    from onegate.master.execution_environment import Start


def main(arguments: list[str] | None = None) -> int:
    """Serve until stopped by a signal; return the exit status.

    0: stopped by a signal. 1: the application could not be loaded, or the hook on_starting failed.
    2: invalid usage or setting, or an address that cannot be bound.
    """
    open_missing()
    subreaper.read_marker()
    try:
        requested, given = _parsed(sys.argv[1:] if arguments is None else arguments)
        if (status := _translated(requested)) is not None:
            return status
        invocation = Invocation(given)
        if "print_config" in requested:
            print_output(invocation.to_toml())
            return 0
        settings = invocation.read_settings()
        if settings.preload and arguments is None and "check_config" not in requested:
            subreaper.re_execute()
        context = ExecutionEnvironment(settings, invocation.start)
        context.enter()
        if "check_config" in requested:
            from onegate.check_config import check  # noqa: PLC0415 - to serve needs none of it

            return check(settings)
        ignore_write_errors()
        from onegate.master.master import Master  # noqa: PLC0415 - reuses what unload_config() freed

        return Master(settings, context, invocation.read_settings).run()
    except SettingsError as error:
        if log_files.has_file():
            error_log.log.error("%s", error)
        print_error(f"onegate: {error}")
        return 2
    except HookError:
        return 1


def _parsed(arguments: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parse a command line; return everything in it, and the settings alone.

    Exits with status 2 and a line on standard error if it is wrong, with 0 after ``--help`` and
    ``--version``.
    """
    from onegate.config.arguments import UsageError, parse, settings_of  # noqa: PLC0415 - see unload_config

    try:
        found = parse(arguments)
    except UsageError as error:
        from onegate.config.help import USAGE  # noqa: PLC0415 - to serve needs none of it

        print_error(f"{USAGE}\nonegate: error: {error}")
        sys.exit(2)
    if "version" in found:
        print_output(f"onegate {__version__}\n")
        sys.exit(0)
    if "help" in found:
        from shutil import get_terminal_size  # noqa: PLC0415 - to serve needs none of it

        from onegate.config.help import help_text  # noqa: PLC0415

        print_output(f"{help_text(get_terminal_size().columns - 2)}\n")
        sys.exit(0)
    return found, settings_of(found)


def _translated(requested: Mapping[str, Any]) -> int | None:
    """Translate another server's configuration, if requested; return the exit status then."""
    for origin in ("from_gunicorn", "from_uwsgi"):
        if path := requested.get(origin):
            from pathlib import Path  # noqa: PLC0415 - to serve needs none of it

            from onegate.migrate import translate  # noqa: PLC0415

            text, lost = translate(origin, Path(path))
            print_output(text)
            return 1 if lost else 0
    return None


class Invocation:
    """A command line together with the environment and the directory in which it was given.

    They are kept, because a setting may change both: when it is read again, after SIGHUP for
    example, a file must mean the same as at the start.
    """

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._arguments = arguments
        self.start = start()
        self._names: set[str] = set()

    def to_toml(self) -> str:
        """The settings in TOML, each with where it came from."""
        from onegate.config.dump import to_toml  # noqa: PLC0415 - to serve needs none of it
        from onegate.config.sources import combine  # noqa: PLC0415 - see unload_config

        return to_toml(combine(self._arguments, self.start.environ, self.start.directory))

    def read_settings(self) -> Settings:
        """Read the settings from their sources. This changes nothing else.

        Raises :class:`SettingsError`.
        """
        settings = self._combined()
        if not settings.app:
            raise SettingsError("no application given; run onegate MODULE:APP")
        return settings

    def _combined(self) -> Settings:
        if self._names:
            # The collection in unload_config() writes to the objects it visits, and a page that is
            # written to is no longer shared with the workers. So it must not visit older objects.
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
            # The running version is not the installed one, or that one is incomplete.
            raise SettingsError(
                f"the installed onegate has changed since it was started ({error}); send USR2 to"
                " start the new one"
            ) from None
        finally:
            unload_config()
            gc.unfreeze()
        self._names = names
        return settings


def _combine(arguments: Mapping[str, Any], start: Start) -> Settings:
    from onegate.config.sources import combine  # noqa: PLC0415 - see unload_config

    return combine(arguments, start.environ, start.directory).settings.bare()


def unload_config() -> None:
    """Unload the modules that declare and read the settings.

    They take 0.2 MiB, which every worker would inherit as a fork of the master, and which nobody
    needs until the settings are read again. What was read is a bare record, which refers to none.
    """
    package = vars(sys.modules["onegate.config"])
    for name in [name for name in sys.modules if name.startswith("onegate.config.")]:
        del sys.modules[name]
        package.pop(name.rpartition(".")[2], None)
    gc.collect()
