"""The servers, the apps and the loads.

Peers get the options that favour them: no access log, a backlog and a limit of connections that
the load does not reach, keep-alive wherever there is an option for it. All else is as shipped.
"""

from __future__ import annotations

from bench.model import BASELINE, IN_PROCESS, ONEGATE, PURE, App, Scenario, Server

CONNECTIONS = 32
IDLE = 2000
LARGE = 102_400
UPLOAD = 1 << 20

_ONEGATE = (
    "{python} -m onegate app:app --chdir {folder} --bind 127.0.0.1:{port}"
    " --workers {workers} --threads {threads}"
)
_GUNICORN = (
    "{bin}/gunicorn app:app --chdir {folder} --bind 127.0.0.1:{port} --workers {workers}"
    " --no-control-socket --log-level warning"
)
_GTHREAD = (
    _GUNICORN + " --worker-class gthread --threads {threads} --worker-connections 4000"
    " --keep-alive 75"
)
_UWSGI = (
    "{bin}/uwsgi --virtualenv {venv} --pythonpath {folder} --module app:app --master"
    " --workers {workers} --threads {threads} --single-interpreter --need-app --disable-logging"
    " --die-on-term --listen 1024"
)
_GRANIAN = (
    "{bin}/granian app:app --working-dir {folder} --interface wsgi --host 127.0.0.1 --port {port}"
    " --workers {workers} --blocking-threads {threads} --runtime-threads 1 --backlog 2048"
    " --log-level warning"
)
_PEREGRINE = (
    "{bin}/peregrine --host 127.0.0.1 --port {port} --protocol wsgi --workers {workers}"
    " --wsgi-threads {threads} --keep-alive 75000 --log-level warning app:app"
)
_WEFT = (
    "{bin}/weft --host 127.0.0.1 --port {port} --workers {workers} --wsgi-threads {threads} app:app"
)
_M0SERVE = (
    "{bin}/m0serve --host 127.0.0.1 --port {port} --protocol wsgi --workers {workers}"
    " --app-dir {folder} --max-keepalive-requests 0 app:app"
)
_MURU = (
    "{unprivileged} {python} {scripts}/muru.py {bin}/muructl {folder} {port} {threads} {workers}"
    " {scratch}"
)
_MOD_WSGI = (
    "{unprivileged} {bin}/mod_wsgi-express start-server --application-type module app"
    " --callable-object app"
    " --host 127.0.0.1 --port {port} --processes {workers} --threads {threads}"
    " --server-root {scratch}/root --working-directory {folder} --python-path {folder}"
    " --log-to-terminal --keep-alive-timeout 75 --include-file {scripts}/mod_wsgi.conf"
)
_SCRIPT = "{python} {scripts}/serve.py"
_NO_LOG = "a script of three lines, because its command cannot turn its log of the queue off"
_NO_COMMAND = "it has no command of its own"


SUFFIXES = {(1, 1): "", (4, 1): "-t4", (1, 4): "-w4"}
"""Of a server's name, by its threads and workers."""


def _forms(
    name: str,
    product: str,
    command: str,
    *,
    threads: bool = False,
    workers: bool = False,
    stop: str = "SIGTERM",
    ready: str = "",
    why: str = "",
) -> list[Server]:
    """A server with one worker and one thread, and with four of each that it can have four of."""
    forms = [(1, 1), *([(4, 1)] if threads else []), *([(1, 4)] if workers else [])]
    return [
        Server(
            name=name + SUFFIXES[each],
            product=product,
            threads=each[0],
            workers=each[1],
            command=command,
            build=name if product == ONEGATE else "",
            stop=stop,
            ready=ready,
            why=why,
        )
        for each in forms
    ]


SERVERS = (
    *_forms(ONEGATE, ONEGATE, _ONEGATE, threads=True, workers=True),
    *_forms(PURE, ONEGATE, _ONEGATE, why="the same sources, without what was compiled of them"),
    *_forms(
        BASELINE,
        ONEGATE,
        _ONEGATE,
        threads=True,
        workers=True,
        why="another build of it, named by --onegate-baseline",
    ),
    Server(
        name="onegate-log",
        product=ONEGATE,
        build=ONEGATE,
        command=_ONEGATE + " --access-log combined --access-logfile /dev/null",
        why="what the access log costs, but for the disk",
    ),
    Server(
        name="onegate-w4-preload",
        product=ONEGATE,
        build=ONEGATE,
        workers=4,
        command=_ONEGATE + " --preload",
        why="the memory of four workers that share what --preload has loaded",
    ),
    *_forms("gunicorn-sync", "gunicorn", _GUNICORN, workers=True),
    *_forms("gunicorn-gthread", "gunicorn", _GTHREAD, threads=True, workers=True),
    *_forms(
        "waitress",
        "waitress",
        _SCRIPT + " waitress {folder} {port} {threads} {workers}",
        threads=True,
        stop="SIGINT",
        why=_NO_LOG,
    ),
    *_forms(
        "cheroot",
        "cheroot",
        _SCRIPT + " cheroot {folder} {port} {threads} {workers}",
        threads=True,
        why="a script of three lines, because its command keeps 10 connections alive at most",
    ),
    *_forms(
        "uwsgi-http",
        "uwsgi",
        _UWSGI + " --http-socket 127.0.0.1:{port} --add-header 'Connection: close'",
        threads=True,
        workers=True,
        stop="SIGINT",
        why="it closes every connection; the field makes it say so",
    ),
    *_forms(
        "uwsgi-http11",
        "uwsgi",
        _UWSGI + " --http11-socket 127.0.0.1:{port}",
        threads=True,
        workers=True,
        stop="SIGINT",
    ),
    *_forms("granian", "granian", _GRANIAN, threads=True, workers=True),
    *_forms(
        "bjoern",
        "bjoern",
        _SCRIPT + " bjoern {folder} {port} {threads} {workers}",
        stop="SIGINT",
        why=_NO_COMMAND + "; compiled here",
    ),
    *_forms(
        "bjoern-wheel",
        "bjoern-binary",
        _SCRIPT + " bjoern {folder} {port} {threads} {workers}",
        stop="SIGINT",
        why=_NO_COMMAND + "; from its wheel",
    ),
    *_forms(
        "fastwsgi",
        "fastwsgi",
        _SCRIPT + " fastwsgi {folder} {port} {threads} {workers}",
        workers=True,
        stop="SIGINT",
        why=_NO_COMMAND,
    ),
    *_forms(
        "fastpysgi",
        "fastpysgi",
        _SCRIPT + " fastpysgi {folder} {port} {threads} {workers}",
        workers=True,
        stop="SIGINT",
        why="a script, because its command cannot turn Nagle's algorithm off",
    ),
    *_forms("peregrine", "peregrine-server", _PEREGRINE, threads=True, workers=True),
    *_forms("m0serve", "m0serve", _M0SERVE, workers=True),
    Server(
        name="m0serve-t4",
        product="m0serve",
        threads=4,
        command=_M0SERVE + " --blocking-threads {threads}",
        why="threads beside its loop",
    ),
    *_forms(
        "freastal",
        "freastal",
        _SCRIPT + " freastal {folder} {port} {threads} {workers}",
        workers=True,
        why=_NO_COMMAND + "; INT does not end it",
    ),
    *_forms(
        "muru",
        "muru",
        _MURU,
        threads=True,
        workers=True,
        ready="ready and serving",
        why="a script, because its daemon takes the application with a second command",
    ),
    *_forms("weft", "weft-server", _WEFT, threads=True, workers=True),
    *_forms("mod_wsgi", "mod-wsgi", _MOD_WSGI, threads=True, workers=True),
    Server(
        name="nginx",
        product="nginx",
        command="{nginx} -p {state} -c {state}/nginx-{port}.conf",
        why="responds by itself, without an application: the ceiling of the wire",
    ),
)

_FRAMEWORKS = ("raw", "flask", "pyramid", "django")

APPS = (
    App(name="raw", folder="bench/apps/raw"),
    *(
        App(
            name=name,
            folder=f"bench/apps/{name}",
            distribution=name,
            lock=f"apps/{name}app/requirements.txt",
        )
        for name in _FRAMEWORKS[1:]
    ),
    App(name="payload", folder="bench/payload"),
)

SCENARIOS = (
    Scenario(
        name="traffic", title="no two requests alike, keep-alive", apps=_FRAMEWORKS, traffic=True
    ),
    Scenario(
        name="traffic-close",
        title="no two requests alike, a connection per request",
        apps=_FRAMEWORKS,
        traffic=True,
        close=True,
    ),
    Scenario(
        name="rate",
        title="no two requests alike, keep-alive at a fixed rate",
        apps=_FRAMEWORKS,
        traffic=True,
        fixed_rate=True,
    ),
    Scenario(name="keepalive", title="same octets, keep-alive", apps=_FRAMEWORKS),
    Scenario(
        name="close", title="same octets, a connection per request", apps=_FRAMEWORKS, close=True
    ),
    Scenario(
        name="idle", title=f"same octets, with {IDLE} idle connections", apps=("raw",), idle=IDLE
    ),
    Scenario(
        name="threads",
        title="4 threads, an app that waits 5 ms",
        apps=("raw",),
        threads=4,
        path="/wait",
    ),
    Scenario(
        name="workers",
        title="no two requests alike, 4 workers on two cores",
        apps=("raw", "flask"),
        workers=4,
        traffic=True,
    ),
    Scenario(name="large", title="100 KB response", apps=("payload",), path="/large"),
    Scenario(name="upload", title="1 MB upload", apps=("payload",), path="/upload", upload=UPLOAD),
)

SERVER = {each.name: each for each in SERVERS}
APP = {each.name: each for each in APPS}
SCENARIO = {each.name: each for each in SCENARIOS}
PEERS = tuple(each.name for each in SERVERS if each.is_peer)


def form(name: str, scenario: str) -> str:
    """The name of a server in the form that a scenario is for."""
    wanted = SCENARIO[scenario]
    return name + SUFFIXES[wanted.threads, wanted.workers]


def is_peer(name: str) -> bool:
    """Whether ``name`` is a server that onegate is measured against."""
    return name != IN_PROCESS and name in SERVER and SERVER[name].is_peer


def expected_body(path: str, upload: int) -> bytes:
    """What an app has to answer on a path of a scenario."""
    if path == "/large":
        return b"x" * LARGE
    return b"%d\n" % upload if upload else b"Hello, World!\n"
