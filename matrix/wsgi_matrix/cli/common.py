"""What the sub-commands share: options that choose cells, and errors with their exit codes."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import NoReturn

import click

from wsgi_matrix import suites
from wsgi_matrix.engines import EngineError, SetupError
from wsgi_matrix.engines.choose import NAMES
from wsgi_matrix.errors import EXIT_CODES, Exit, UserError

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


def fail(message: str, code: Exit) -> NoReturn:
    """One line on stderr, and the documented exit code."""
    click.echo(f"wsgi-matrix: {message}", err=True)
    sys.exit(code)


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
    except OSError as problem:
        # What remains are our own files: a full disk, a folder that cannot be written.
        fail(f"{problem.filename or 'a file'}: {problem.strerror or problem}", Exit.SETUP)
    except KeyboardInterrupt:
        fail("interrupted", Exit.INTERRUPTED)


def selection_options(command: click.decorators.FC) -> click.decorators.FC:
    """The options that choose cells."""
    text = f"Of {', '.join(suites.NAMES)}, or all; by default what [run] of the matrix says."
    command = click.option("--suite", "suites", type=Names(), default=(), help=text)(command)
    for name in ("pythons", "limits", "apps", "servers"):
        text = f"Names of {name} in the matrix, or all; by default what the suite says."
        command = click.option(f"--{name}", type=Names(), default=(), help=text)(command)
    command = click.option("--skip", multiple=True, help="Glob on cell ids to leave out.")(command)
    return click.option("--select", multiple=True, help="Glob on cell ids to run.")(command)


def engine_option(command: click.decorators.FC) -> click.decorators.FC:
    """``--engine``."""
    return click.option(
        "--engine",
        type=click.Choice(NAMES),
        default="auto",
        show_default=True,
        help="auto: Docker if it answers, else processes.",
    )(command)
