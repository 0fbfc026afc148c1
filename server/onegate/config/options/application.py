"""What is served."""

from __future__ import annotations

from onegate.config.option import Group, option
from onegate.config.types import Flag, Kind, Pairs, Texts, UrlPath


class Application(Group, title="Application"):
    """Options on the application and on what it finds around it."""

    app: str = option(
        "",
        Kind("MODULE:APP"),
        positional=True,
        help="the application, for example mysite.wsgi:app or \"mysite:make_app('production')\", a"
        " factory with literals as arguments; without a name after the colon it is app or"
        " application",
        why="there is nothing to guess",
        gunicorn="wsgi_app",
        uwsgi="--module",
        waitress="argument",
    )
    config: str = option(
        "",
        Kind("FILE"),
        short="-c",
        in_file=False,
        help="read settings from this TOML file, or from [tool.onegate] of a pyproject.toml",
        why="no file is looked for: what is served must not depend on the folder one stands in",
        gunicorn="config ./gunicorn.conf.py",
        uwsgi="--ini",
        others="puma config/puma.rb",
    )
    chdir: str = option(
        "",
        Kind("DIR"),
        help="go to this folder before the application is loaded",
        why="stay where it was started",
        gunicorn="chdir .",
        uwsgi="--chdir",
    )
    env: tuple[tuple[str, str], ...] = option(
        (),
        Pairs(),
        short="-e",
        help="set an environment variable before the application is loaded; may be repeated",
        why="the environment is taken as it is",
        gunicorn="raw_env []",
        uwsgi="--env",
    )
    environ: tuple[tuple[str, str], ...] = option(
        (),
        Pairs(),
        help="put a pair into the WSGI environ of every request; may be repeated",
        why="PEP 3333 asks servers to let the deployer do so",
        uwsgi="--route-run addvar:",
        others="mod_wsgi SetEnv",
    )
    root_path: str = option(
        "",
        UrlPath(),
        help="the part of the path at which the application is mounted, its SCRIPT_NAME; it may"
        " be percent-encoded, as in a URL",
        why="most applications are mounted at the root",
        gunicorn='root_path ""',
        uwsgi="--mount",
        waitress='url_prefix ""',
        others="granian --url-path-prefix",
    )
    hooks: str = option(
        "",
        Kind("FILE"),
        help="a Python file with functions for the life of master and workers, with gunicorn's"
        " names and arguments: on_starting, when_ready, pre_fork, post_fork, post_worker_init, …",
        why="most applications need none",
        gunicorn="(in its file)",
        uwsgi="--hook-*, uwsgidecorators",
    )
    preload: bool = option(
        False,
        Flag(),
        help="load the application once and fork workers from it, which then share its memory",
        why="threads, sockets and random states made at import do not survive a fork, and"
        " not every application is written for that",
        gunicorn="preload_app False",
        uwsgi="on; off by --lazy-apps",
        others="puma preload_app!",
    )
    reload: bool = option(
        False,
        Flag(),
        help="for development: load the application again when one of its files has changed,"
        " and show the traceback to every client while it cannot be loaded; through watchfiles"
        " where that is installed",
        why="looking at files is no work for a server in production",
        gunicorn="reload False",
        uwsgi="--py-autoreload 0",
        others="granian --reload",
    )
    reload_extra_file: tuple[str, ...] = option(
        (),
        Texts("FILE"),
        help="with --reload: look at this file too, a template say; may be repeated",
        why="the files of imported modules are known without being named",
        gunicorn="reload_extra_files []",
        uwsgi="--touch-reload",
    )
