"""Shared by the sub-commands: options that select cells, and errors with their exit codes."""

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
"""Exit status after a closed pipe: what a shell reports for a program killed by SIGPIPE."""


def write_out(text: str) -> None:
    """Write the result to stdout and flush it, so that a closed pipe is detected here."""
    sys.stdout.write(text)
    sys.stdout.flush()


def print_progress(phase: str, detail: str) -> None:
    """Print progress to stderr."""
    click.echo(f"{phase}: {detail}", err=True)


def discard_stdout() -> None:
    """Redirect stdout to /dev/null, because its reader has closed the pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(message: str, code: Exit) -> NoReturn:
    """Print one line to stderr and exit with the documented code."""
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
    """Convert errors of users, engines and setup to one line and their exit code."""
    try:
        yield
    except UserError as problem:
        fail(str(problem), Exit(problem.exit_code))
    except EngineError as problem:
        fail(str(problem), Exit.NO_ENGINE)
    except SetupError as problem:
        fail(str(problem), Exit.SETUP)
    except BrokenPipeError:
        discard_stdout()
        sys.exit(CLOSED_PIPE)
    except OSError as problem:
        # Only wsgi-matrix's own files are left: a full disk, a directory that is not writable.
        fail(f"{_subject(problem)}: {problem.strerror or problem}", Exit.SETUP)
    except KeyboardInterrupt:
        fail("interrupted", Exit.INTERRUPTED)


def selection_options(command: click.decorators.FC) -> click.decorators.FC:
    """Add the options that select cells."""
    options = []
    for name, text in (("select", "Run"), ("skip", "Do not run")):
        options.append(
            click.option(
                f"--{name}",
                multiple=True,
                help=f"{text} cells whose id matches this glob; may be repeated.",
                shell_complete=completion.cells,
            )
        )
    for name in ("servers", "apps", "limits", "pythons"):
        options.append(
            click.option(
                f"--{name}",
                type=Names(),
                default=(),
                help=f"Names of {name} in the matrix, or all (default: set by the suite).",
                shell_complete=completion.of_axis(attrgetter(name)),
            )
        )
    options.append(
        click.option(
            "--suite",
            "suites",
            type=Names(),
            default=(),
            help=f"Suites to run: {', '.join(registry.types())}, or all (default: set in [run]).",
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
        help="auto: Docker if a daemon responds, else processes.",
    )(command)
