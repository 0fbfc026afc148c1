"""The command ``wsgi-matrix``: a thin front door to the runner."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from wsgi_matrix import __version__, config, evidence, plan, suites
from wsgi_matrix.engines import EngineError, SetupError
from wsgi_matrix.engines.choose import NAMES, choose
from wsgi_matrix.errors import EXIT_CODES, Exit, UserError
from wsgi_matrix.files import write_whole
from wsgi_matrix.reports import console, data, exit_code, markdown
from wsgi_matrix.runner import Runner

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
    text = "What is sent and judged; by default what [run] of the matrix says."
    command = click.option("--suite", type=click.Choice(suites.NAMES), help=text)(command)
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


@click.group(epilog=EPILOG)
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The matrix; by default matrix.toml here or in a folder above.",
)
@click.option(
    "--build",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for caches and results; by default build/ beside the matrix.",
)
@click.version_option(__version__)
@click.pass_context
def main(ctx: click.Context, file: Path | None, build: Path | None) -> None:
    """Run one unmodified server against the app of every framework, and show what differs."""
    if ctx.resilient_parsing:
        return
    with user_errors():
        ctx.obj = config.load(file or config.find(Path.cwd()), build)


@main.command(epilog=EPILOG)
@selection_options
@engine_option
@click.option("--jobs", type=click.IntRange(1), help="Cells at a time; by default the cores.")
@click.pass_obj
def run(
    settings: config.Config,
    /,
    engine: str,
    jobs: int | None,
    suite: str | None,
    **selection: tuple[str, ...],
) -> None:
    """Run the cells, print the grid, write build/matrix/results.json."""
    signal.signal(signal.SIGTERM, _interrupt)
    with user_errors():
        cells = plan.make_cells(settings, plan.Selection(suite=suite or "", **selection))
        config.check_folders(settings, cells)
        sent = suites.choose(settings, suite or "")
        chosen, notice = choose(engine, settings.build)
        if notice:
            click.echo(f"wsgi-matrix: {notice}", err=True)
        handlers = (console.Progressing(),)
        with contextlib.closing(chosen):
            done = Runner(
                cells,
                chosen,
                settings.settings,
                suite=sent,
                known=settings.xfails,
                jobs=jobs,
                handlers=handlers,
            ).run()
        write_whole(settings.build / "matrix" / "results.json", data.dumps(data.results(done)))
        if done.suite == suites.HELLO:  # what other runs compare theirs with
            evidence.write(settings.build, done)
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(markdown.render(done))
        console.render(done)
        sys.exit(exit_code(done))


@main.command("list")
@selection_options
@click.pass_obj
def list_cells(settings: config.Config, /, suite: str | None, **selection: tuple[str, ...]) -> None:
    """Show the ids of the cells that would run."""
    with user_errors():
        for cell in plan.make_cells(settings, plan.Selection(suite=suite or "", **selection)):
            click.echo(cell.id)


@main.command()
@engine_option
@click.pass_obj
def clean(settings: config.Config, engine: str) -> None:
    """Remove what earlier runs left behind: processes, containers, known by our label only."""
    with user_errors():
        chosen, _ = choose(engine, settings.build)
        with contextlib.closing(chosen):
            count = chosen.clean()
        click.echo(f"{count} left behind and removed")


@main.command()
@click.option("--pythons", type=Names(), default=(), help="Pythons to make the base for.")
@click.pass_obj
def base(settings: config.Config, /, pythons: tuple[str, ...]) -> None:
    """Make the base images, or find that they are there, and print their names."""
    # Only here, for the Docker SDK takes its time to import.
    from wsgi_matrix.engines.docker_base import ensure_base  # noqa: PLC0415
    from wsgi_matrix.engines.docker_client import connect  # noqa: PLC0415

    with user_errors():
        cells = plan.make_cells(settings, plan.Selection(pythons=pythons))
        with contextlib.closing(connect()) as client:
            for python in dict.fromkeys(cell.python for cell in cells):
                made = ensure_base(client, python, _say, settings.build)
                click.echo(f"{made.reference} {made.id} from {made.source}")


def _say(phase: str, detail: str) -> None:
    """Progress, for people."""
    click.echo(f"{phase}: {detail}", err=True)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM ends a run as Ctrl-C does: cells are killed, the partial report is written."""
    raise KeyboardInterrupt
