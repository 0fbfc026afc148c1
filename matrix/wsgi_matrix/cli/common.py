"""What the sub-commands share: options that choose cells, and errors with their exit codes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import NoReturn

import click

from wsgi_matrix.cli import completion
from wsgi_matrix.engines.registry import AUTO, choices
from wsgi_matrix.errors import EXIT_CODES, EngineError, Exit, SetupError, UserError
from wsgi_matrix.suites import registry

EPILOG = "\b\nExit codes:\n" + "\n".join(
    f"  {int(code):>3}  {text}" for code, text in EXIT_CODES.items()
)


class Names(click.ParamType[tuple[str, ...]]):
    """A comma-separated list of names."""

    name = "NAME,..."

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """``"a, b"`` → ``("a", "b")``."""
        if isinstance(value, tuple):
            return value
        return tuple(name.strip() for name in str(value).split(",") if name.strip())


CLOSED_PIPE = 128 + signal.SIGPIPE
"""Exit status of a command whose reader went away, as a shell tells it of any program."""


def write_out(text: str) -> None:
    """The result, to stdout, at once: a reader that went away is met here and not at the end."""
    sys.stdout.write(text)
    sys.stdout.flush()


def deaf() -> None:
    """Let nothing be written to stdout any more: nobody reads it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(message: str, code: Exit) -> NoReturn:
    """One line on stderr, and the documented exit code."""
    click.echo(f"wsgi-matrix: {message}", err=True)
    sys.exit(code)


def _subject(problem: OSError) -> str:
    if problem.filename is not None:
        return os.fsdecode(problem.filename)
    try:
        Path.cwd()
    except OSError:
        return "the current directory"  # it was removed
    return "a file"


@contextlib.contextmanager
def user_errors() -> Iterator[None]:
    """Turn the errors of users, engines and set-up into one line and their exit code."""
    try:
        yield
    except UserError as problem:
        fail(str(problem), Exit(problem.exit_code))
    except EngineError as problem:
        fail(str(problem), Exit.NO_ENGINE)
    except SetupError as problem:
        fail(str(problem), Exit.SETUP)
    except BrokenPipeError:
        deaf()
        sys.exit(CLOSED_PIPE)
    except OSError as problem:
        # What remains are our own files: a full disk, a folder that cannot be written.
        fail(f"{_subject(problem)}: {problem.strerror or problem}", Exit.SETUP)
    except KeyboardInterrupt:
        fail("interrupted", Exit.INTERRUPTED)


def selection_options(command: click.decorators.FC) -> click.decorators.FC:
    """The options that choose cells."""
    options = []
    for name, text in (("select", "to run"), ("skip", "to leave out")):
        options.append(
            click.option(
                f"--{name}",
                multiple=True,
                help=f"Glob on the ids of cells {text}; may be given again.",
                shell_complete=completion.cells,
            )
        )
    for name in ("servers", "apps", "limits", "pythons"):
        options.append(
            click.option(
                f"--{name}",
                type=Names(),
                default=(),
                help=f"Names of {name} in the matrix, or all; by default what the suite says.",
                shell_complete=completion.of_axis(attrgetter(name)),
            )
        )
    options.append(
        click.option(
            "--suite",
            "suites",
            type=Names(),
            default=(),
            help=f"Of {', '.join(registry.types())}, or all; by default what [run] says.",
            shell_complete=completion.of_axis(lambda _: tuple(registry.types())),
        )
    )
    for option in reversed(options):
        command = option(command)
    return command


def engine_option(command: click.decorators.FC) -> click.decorators.FC:
    """``--engine``."""
    return click.option(
        "--engine",
        type=click.Choice(choices()),
        default=AUTO,
        show_default=True,
        help="auto: Docker if it answers, else processes.",
    )(command)
