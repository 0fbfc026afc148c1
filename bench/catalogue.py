"""The servers, the apps and the loads.

Peers get the options that favour them: no access log, a backlog and a limit of connections that
the load does not reach, keep-alive wherever there is an option for it. All else is as shipped.
"""

from __future__ import annotations

from bench.model import IN_PROCESS, App, Scenario, Server

CONNECTIONS = 32
IDLE = 2000
LARGE = 102_400
UPLOAD = 1 << 20

_ONEGATE = "{python} -m onegate app:app --chdir {folder} --bind 127.0.0.1:{port} --workers 1"
_GUNICORN = (
    "{bin}/gunicorn app:app --chdir {folder} --bind 127.0.0.1:{port} --workers 1"
    " --no-control-socket --log-level warning"
)
_GTHREAD = _GUNICORN + " --worker-class gthread --worker-connections 4000 --keep-alive 75"
_SCRIPT = "{python} {scripts}/serve.py"
_UWSGI = (
    "{bin}/uwsgi --virtualenv {venv} --pythonpath {folder} --module app:app --master --workers 1"
    " --single-interpreter --need-app --disable-logging --die-on-term --listen 1024"
)
_CLOSES = " --http-socket 127.0.0.1:{port} --add-header 'Connection: close'"
_GRANIAN = (
    "{bin}/granian app:app --working-dir {folder} --interface wsgi --host 127.0.0.1 --port {port}"
    " --workers 1 --runtime-threads 1 --backlog 2048 --log-level warning"
)
_NO_LOG = "a script of three lines, because its command cannot turn its log of the queue off"
_NO_COMMAND = "it has no command of its own"


def _both(name: str, product: str, one: str, four: str, why: str = "") -> list[Server]:
    return [
        Server(name=name, product=product, threads=1, command=one, why=why),
        Server(name=f"{name}-t4", product=product, threads=4, command=four, why=why),
    ]


SERVERS = (
    *_both("onegate", "onegate", _ONEGATE, _ONEGATE + " --threads 4"),
    Server(
        name="onegate-log",
        product="onegate",
        threads=1,
        command=_ONEGATE + " --access-log combined --access-logfile /dev/null",
        why="what the access log costs, but for the disk",
    ),
    Server(
        name="onegate-w4",
        product="onegate",
        threads=1,
        command=_ONEGATE.replace("--workers 1", "--workers 4"),
        why="the memory of four workers together, ...",
    ),
    Server(
        name="onegate-w4-preload",
        product="onegate",
        threads=1,
        command=_ONEGATE.replace("--workers 1", "--workers 4 --preload"),
        why="... and of four that share what --preload has loaded",
    ),
    Server(name="gunicorn-sync", product="gunicorn", threads=1, command=_GUNICORN),
    *_both("gunicorn-gthread", "gunicorn", _GTHREAD + " --threads 1", _GTHREAD + " --threads 4"),
    *_both(
        "waitress",
        "waitress",
        _SCRIPT + " waitress {folder} {port} 1",
        _SCRIPT + " waitress {folder} {port} 4",
        _NO_LOG,
    ),
    *_both(
        "cheroot",
        "cheroot",
        _SCRIPT + " cheroot {folder} {port} 1",
        _SCRIPT + " cheroot {folder} {port} 4",
        "a script of three lines, because its command keeps 10 connections alive at most",
    ),
    *_both(
        "uwsgi-http",
        "uwsgi",
        _UWSGI + _CLOSES,
        _UWSGI + " --threads 4" + _CLOSES,
        "it closes every connection; the field makes it say so",
    ),
    *_both(
        "uwsgi-http11",
        "uwsgi",
        _UWSGI + " --http11-socket 127.0.0.1:{port}",
        _UWSGI + " --threads 4 --http11-socket 127.0.0.1:{port}",
    ),
    *_both(
        "granian", "granian", _GRANIAN + " --blocking-threads 1", _GRANIAN + " --blocking-threads 4"
    ),
    Server(
        name="bjoern",
        product="bjoern",
        threads=1,
        command=_SCRIPT + " bjoern {folder} {port} 1",
        why=_NO_COMMAND,
    ),
    Server(
        name="fastwsgi",
        product="fastwsgi",
        threads=1,
        command=_SCRIPT + " fastwsgi {folder} {port} 1",
        why=_NO_COMMAND,
    ),
    Server(
        name="nginx",
        product="nginx",
        threads=1,
        command="{nginx} -p {state} -c {state}/nginx-{port}.conf",
        why="responds by itself, without an application: the ceiling of the wire",
    ),
)

_FRAMEWORKS = ("raw", "flask", "pyramid", "django")

APPS = (
    App(name="raw", folder="apps/wsgiapp"),
    App(name="flask", folder="apps/flaskapp", distribution="flask"),
    App(name="pyramid", folder="apps/pyramidapp", distribution="pyramid"),
    App(name="django", folder="apps/djangoapp", distribution="django"),
    App(name="payload", folder="bench/payload"),
)

SCENARIOS = (
    Scenario(name="keepalive", title="keep-alive", apps=_FRAMEWORKS),
    Scenario(name="close", title="a connection per request", apps=_FRAMEWORKS, close=True),
    Scenario(name="rate", title="keep-alive at a fixed rate", apps=_FRAMEWORKS, fixed_rate=True),
    Scenario(name="idle", title=f"with {IDLE} idle connections", apps=("raw",), idle=IDLE),
    Scenario(name="large", title="100 KB response", apps=("payload",), path="/large"),
    Scenario(name="upload", title="1 MB upload", apps=("payload",), path="/upload", upload=UPLOAD),
)

SERVER = {each.name: each for each in SERVERS}
APP = {each.name: each for each in APPS}
SCENARIO = {each.name: each for each in SCENARIOS}
PEERS = tuple(each.name for each in SERVERS if each.is_peer)


def is_peer(name: str) -> bool:
    """Whether ``name`` is a server that onegate is measured against."""
    return name != IN_PROCESS and name in SERVER and SERVER[name].is_peer


def expected_body(path: str, upload: int) -> bytes:
    """What an app has to answer on a path of a scenario."""
    if path == "/large":
        return b"x" * LARGE
    return b"%d\n" % upload if upload else b"Hello, World!\n"
