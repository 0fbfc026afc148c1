"""The application and its environment."""

from __future__ import annotations

from onegate.config.option import Group, option
from onegate.config.types import Flag, Kind, Pairs, Strings, UrlPath


class Application(Group, title="Application"):
    """Options on the application and its environment."""

    app: str = option(
        "",
        Kind("MODULE:APP"),
        positional=True,
        help="application to serve, for example mysite.wsgi:app, or a factory call with literal"
        " arguments such as \"mysite:make_app('production')\"; with MODULE alone, its"
        " attribute app or application is used",
        why="an application cannot be guessed",
        gunicorn="wsgi_app",
        uwsgi="--module",
        waitress="argument",
    )
    config: str = option(
        "",
        Kind("FILE"),
        short="-c",
        in_file=False,
        help="read settings from this TOML file; from a pyproject.toml, its [tool.onegate] table",
        why="no file is read implicitly: what is served must not depend on the current directory",
        gunicorn="config ./gunicorn.conf.py",
        uwsgi="--ini",
        others="puma config/puma.rb",
    )
    chdir: str = option(
        "",
        Kind("DIR"),
        help="change to this directory before loading the application",
        why="the directory onegate is started in",
        gunicorn="chdir .",
        uwsgi="--chdir",
    )
    env: tuple[tuple[str, str], ...] = option(
        (),
        Pairs(),
        short="-e",
        help="set an environment variable before the application is loaded; repeatable",
        why="the environment is inherited unchanged",
        gunicorn="raw_env []",
        uwsgi="--env",
    )
    environ: tuple[tuple[str, str], ...] = option(
        (),
        Pairs(),
        help="add a key to the WSGI environ of every request; repeatable",
        why="PEP 3333 asks servers to let the deployer add keys; by default there are none",
        uwsgi="--route-run addvar:",
        others="mod_wsgi SetEnv",
    )
    root_path: str = option(
        "",
        UrlPath(),
        help="URL path at which the application is mounted (SCRIPT_NAME)",
        why="most applications are mounted at the root",
        gunicorn='root_path ""',
        uwsgi="--mount",
        waitress='url_prefix ""',
        others="granian --url-path-prefix",
    )
    hooks: str = option(
        "",
        Kind("FILE"),
        help="Python file with functions that are called at points in the life cycle of the master"
        " and workers, with gunicorn's names and arguments: on_starting, when_ready, pre_fork,"
        " post_fork, post_worker_init, …",
        why="most applications need none",
        gunicorn="(in its file)",
        uwsgi="--hook-*, uwsgidecorators",
    )
    preload: bool = option(
        False,
        Flag(),
        help="load the application once and fork the workers from it, so that its memory is shared",
        why="threads, sockets and random state created at import do not survive a fork, and not"
        " every application allows for that",
        gunicorn="preload_app False",
        uwsgi="on; off by --lazy-apps",
        others="puma preload_app!",
    )
    reload: bool = option(
        False,
        Flag(),
        help="for development: reload the application when one of its files changes, and show the"
        " traceback to every client while it cannot be loaded; uses watchfiles if installed",
        why="a production server should not spend time watching files",
        gunicorn="reload False",
        uwsgi="--py-autoreload 0",
        others="granian --reload",
    )
    reload_extra_file: tuple[str, ...] = option(
        (),
        Strings("FILE"),
        help="with --reload, watch this file too, for example a template; repeatable",
        why="the files of imported modules are watched anyway",
        gunicorn="reload_extra_files []",
        uwsgi="--touch-reload",
    )
