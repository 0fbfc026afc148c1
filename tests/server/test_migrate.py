"""``--from-gunicorn`` and ``--from-uwsgi``: every row of the tables in docs/migrating.md."""

from __future__ import annotations

import re
import textwrap
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from onegate.cli import main
from onegate.config.sources import combine
from onegate.http1 import response_validation
from onegate.migrate import translate, uwsgi_ini
from onegate.migrate.gunicorn import RULES as GUNICORN
from onegate.migrate.uwsgi import RULES as UWSGI
from onegate.process.hook_loader import ABSENT
from onegate.process.hooks import HOOKS
from onegate.settings_error import SettingsError


def words(text: str) -> list[str]:
    return text.split()


ROOT = Path(__file__).resolve().parents[2]
MINOR = "No equivalent, no effect on what is served:"
LOST, KNOW = "LOST, changes what is served:", "Notes:"


def translated(origin: str, text: str, folder: Path) -> tuple[dict[str, Any], dict[str, str], bool]:
    """Settings, comments by their titles, and whether something essential is lost."""
    file = folder / "given.conf"
    file.write_text(text)
    toml, lost = translate(origin, file)
    (folder / "onegate.toml").write_text(toml)
    combine({"config": str(folder / "onegate.toml"), "certfile": "c"}, {})  # it can be used
    comments: dict[str, str] = {}
    title = ""
    for line in toml.splitlines():
        if line.startswith("#   "):
            comments[title] = comments.get(title, "") + line[4:] + "\n"
        elif line.startswith("# "):
            title = line[2:]
    assert lost is (LOST in comments)
    return tomllib.loads(toml), comments, lost


# ── gunicorn ─────────────────────────────────────────────────────────────────────────────────────

# What a line of gunicorn.conf.py becomes: settings, or the comment in which it is named.
SAME: list[tuple[str, dict[str, Any]]] = [
    ("wsgi_app = 'm:a'", {"app": "m:a"}),
    ("bind = '0.0.0.0:80, unix:/x'", {"bind": ["0.0.0.0:80", "unix:/x"]}),
    ("bind = ['a:1', 'fd://3']", {"bind": ["a:1", "fd://3"]}),
    ("backlog = 64", {"backlog": 64}),
    ("workers = 2 * 2 + 1", {"workers": 5}),
    ("worker_class = 'gthread'", {}),
    ("worker_connections = 100", {"worker_connections": 100}),
    ("max_requests = 1000", {"max_requests": 1000}),
    ("max_requests_jitter = 50", {"max_requests_jitter": 50}),
    ("timeout = 90", {"timeout": 90}),
    ("timeout = 0", {"timeout": 0}),
    ("graceful_timeout = 10", {"graceful_timeout": 10}),
    ("keepalive = 5", {"keepalive": 5}),
    ("limit_request_line = 4094", {"limit_request_line": 4094}),
    ("limit_request_fields = 50", {"limit_request_fields": 50}),
    ("limit_request_field_size = 1024", {"limit_request_field_size": "1k"}),
    ("reload = True", {"reload": True}),
    ("reload_extra_files = ['a', 'b']", {"reload_extra_file": ["a", "b"]}),
    ("preload_app = True", {"preload": True}),
    ("chdir = '/srv'", {"chdir": "/srv"}),
    ("raw_env = ['A=1', 'B=2=3']", {"env": {"A": "1", "B": "2=3"}}),
    ("pidfile = '/run/x'", {"pidfile": "/run/x"}),
    ("pidfile = None", {"pidfile": ""}),
    ("user = 'www'", {"user": "www"}),
    ("user = 33", {"user": "33"}),
    ("group = None", {"group": ""}),
    ("umask = 0o27", {"umask": "027"}),
    ("umask = '022'", {"umask": "022"}),
    ("root_path = '/x'", {"root_path": "/x"}),
    ("tmp_upload_dir = '/var/tmp'", {"spool": "/var/tmp"}),
    ("tmp_upload_dir = None", {"spool": "auto"}),
    (
        "forwarded_allow_ips = '*'",
        {"forwarded_allow_ips": "*", "forwarded_headers": "x-forwarded-proto"},
    ),
    ("secure_scheme_headers = {'X-FORWARDED-PROTO': 'https'}", {}),
    ("proxy_protocol = True", {"proxy_protocol": True}),
    ("proxy_protocol = 'v2'", {"proxy_protocol": True}),
    ("proxy_protocol = 'off'", {"proxy_protocol": False}),
    ("certfile = 'c'", {"certfile": "c"}),
    ("bind = 'unix:///run/a.sock'", {"bind": ["unix:/run/a.sock"]}),
    ("bind = ['unix://a.sock', 'unix:@a']", {"bind": ["unix:a.sock", "unix:./@a"]}),
    ("keyfile = 'k'", {"keyfile": "k"}),
    ("accesslog = '-'", {"access_logfile": "-", "access_log": "combined"}),
    ("accesslog = None", {}),
    (
        "accesslog = 'x'; access_log_format = '%(h)s %(s)s'",
        {"access_logfile": "x", "access_log": "%(h)s %(s)s"},
    ),
    ("access_log_format = '%(h)s'", {}),
    ("errorlog = '/x'", {"error_logfile": "/x"}),
    ("loglevel = 'WARNING'", {"log_level": "warning"}),
]
NEEDLESS = words(
    """initgroups do_handshake_on_connect suppress_ragged_eofs
    disable_redirect_access_to_syslog
    enable_stdio_inheritance control_socket_disable reload_engine check_config print_config config
    sendfile reuse_port worker_tmp_dir http_parser"""
)
MINOR_ONES = words(
    """ssl_version ciphers capture_output logger_class logconfig
    logconfig_dict logconfig_json
    syslog syslog_addr syslog_prefix syslog_facility statsd_host statsd_prefix dogstatsd_tags
    enable_backlog_metric control_socket control_socket_mode daemon proc_name default_proc_name spew
    uwsgi_allow_ips http_protocols http2_cleartext http2_max_concurrent_streams
    http2_initial_window_size http2_max_frame_size http2_max_header_list_size asgi_loop
    asgi_lifespan asgi_disconnect_grace_period websocket_max_message_size dirty_workers
    dirty_timeout dirty_threads dirty_graceful_timeout on_dirty_starting dirty_post_fork
    dirty_worker_init dirty_worker_exit"""
)
LOST_ONES = words(
    """worker_class forwarder_headers header_map proxy_allow_ips ca_certs cert_reqs
    pythonpath paste raw_paste_global_conf protocol permit_obsolete_folding strip_header_spaces
    permit_unconventional_http_method permit_unconventional_http_version casefold_http_method
    dirty_apps"""
) + list(ABSENT)
# Values at which nothing is lost, because they ask for nothing.
HARMLESS = [
    "worker_class = 'sync'",
    "forwarder_headers = 'SCRIPT_NAME,PATH_INFO'",
    "header_map = 'drop'",
    "proxy_allow_ips = '127.0.0.1,::1'",
    "ca_certs = None",
    "cert_reqs = 0",
    "protocol = 'http'",
    "http_protocols = 'h1'",
    "permit_obsolete_folding = False",
    "dirty_apps = []",
    "daemon = False",
    "statsd_host = None",
]


@pytest.mark.parametrize(("line", "expected"), SAME, ids=[line for line, _ in SAME])
def test_a_setting_of_gunicorn(line: str, expected: dict[str, Any], tmp_path: Path) -> None:
    assert translated("from_gunicorn", line, tmp_path) == (expected, {}, False)


@pytest.mark.parametrize(
    ("name", "title"),
    [(name, KNOW) for name in NEEDLESS]
    + [(name, MINOR) for name in MINOR_ONES]
    + [(name, LOST) for name in LOST_ONES],
)
def test_a_setting_of_gunicorn_that_is_named(name: str, title: str, tmp_path: Path) -> None:
    settings, comments, lost = translated("from_gunicorn", f"{name} = 'x'", tmp_path)
    assert settings == {}
    assert list(comments) == [title]
    assert comments[title].startswith(f"{name} = 'x': ")
    assert lost is (title == LOST)


def test_threads_of_gunicorn_do_not_bring_its_socket(tmp_path: Path) -> None:
    settings, comments, lost = translated("from_gunicorn", "threads = 4", tmp_path)
    assert (settings, lost) == ({"threads": 4}, False)
    assert "the environ has no gunicorn.socket, so no WebSockets" in comments[KNOW]


@pytest.mark.parametrize("line", HARMLESS)
def test_a_value_that_asks_for_nothing(line: str, tmp_path: Path) -> None:
    assert translated("from_gunicorn", line, tmp_path) == ({}, {}, False)


@pytest.mark.parametrize(
    "name",
    words(
        """graceful_timeout keepalive limit_request_line limit_request_fields
    limit_request_field_size"""
    ),
)
def test_0_of_gunicorn_has_no_equivalent(name: str, tmp_path: Path) -> None:
    settings, comments, _ = translated("from_gunicorn", f"{name} = 0", tmp_path)
    assert (settings, list(comments)) == ({}, [MINOR])


@pytest.mark.parametrize(
    "line",
    [
        "secure_scheme_headers = {'X-FORWARDED-SSL': 'on'}",
        "secure_scheme_headers = {'X-FORWARDED-PROTO': 'tls'}",
        "workers = 'many'",
        "worker_class = 'gevent'",
    ],
)
def test_a_value_of_gunicorn_that_is_lost(line: str, tmp_path: Path) -> None:
    settings, comments, _ = translated("from_gunicorn", line, tmp_path)
    assert (settings, list(comments)) == ({}, [LOST])


@pytest.mark.parametrize("name", HOOKS)
def test_hooks_stay_in_their_file(name: str, tmp_path: Path) -> None:
    settings, comments, _ = translated("from_gunicorn", f"def {name}(*_): ...", tmp_path)
    assert (settings, comments) == ({"hooks": str(tmp_path / "given.conf")}, {})


def test_what_hooks_would_not_find_is_lost(tmp_path: Path) -> None:
    text = """
def helper(worker): worker.tmp

def on_starting(server):
    server.ids = set()
    server.log.info("%s %s", server.address, server.cfg.workers)

def pre_fork(arbiter, w):
    w.id = arbiter.ids.pop()
    w.log.info(w.age)
    arbiter.LISTENERS

def post_fork(server, worker):
    worker.log.info("%s %s %s", worker.id, worker.nr, worker.cfg.worker_class)
    other.nr

def nworkers_changed(server, new_value, old_value):
    new_value.anything
"""
    settings, comments, failed = translated("from_gunicorn", text, tmp_path)
    assert settings == {"hooks": str(tmp_path / "given.conf")}
    assert list(comments) == [LOST]
    assert comments[LOST].splitlines() == [
        "pre_fork uses server.LISTENERS: no such attribute",
        "post_fork uses worker.nr: no such attribute",
        "post_fork uses worker.cfg.worker_class: use onegate's name for the option",
    ]
    assert failed


def test_names_that_are_no_settings_of_gunicorn_are_passed_over(tmp_path: Path) -> None:
    text = "import os\nfrom pathlib import Path\nmine = 3\ndef helper(): ...\nworkers = mine"
    assert translated("from_gunicorn", text, tmp_path) == ({"workers": 3}, {}, False)


@pytest.mark.parametrize("text", ["1 / 0", "raise SystemExit(0)", "import sys; sys.exit()", "("])
def test_a_file_of_gunicorn_that_cannot_be_run(text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^--from-gunicorn .*: (Zero|System|Syntax)"):
        translated("from_gunicorn", text, tmp_path)


def test_every_rule_for_gunicorn_is_tested() -> None:
    tested = {line.partition(" ")[0] for line, _ in SAME} | {"access_log_format", "threads"}
    assert tested | set(NEEDLESS) | set(MINOR_ONES) | set(LOST_ONES) == set(GUNICORN)


def test_every_setting_of_the_installed_gunicorn_has_a_rule() -> None:
    config = pytest.importorskip("gunicorn.config")
    names = {setting.name for setting in config.KNOWN_SETTINGS}
    assert names - set(GUNICORN) - set(HOOKS) == set()


# ── uWSGI ────────────────────────────────────────────────────────────────────────────────────────

ALWAYS = {"preload": True, "access_log": "combined"}
UWSGI_SAME: list[tuple[str, dict[str, Any]]] = [
    ("module = m:a", {"app": "m:a"}),
    ("module = m", {"app": "m:application"}),
    ("wsgi = m.n:a", {"app": "m.n:a"}),
    ("module = m\ncallable = b", {"app": "m:b"}),
    ("wsgi-file = site/wsgi.py", {"app": "site.wsgi:application"}),
    ("file = wsgi.py\ncallable = app", {"app": "wsgi:app"}),
    ("mount = /x/=m:a", {"app": "m:a", "root_path": "/x"}),
    ("http-socket = :8000", {"bind": [":8000"]}),
    ("http-socket = 8000", {"bind": ["0.0.0.0:8000"]}),
    ("http11-socket = /run/x", {"bind": ["unix:/run/x"]}),
    ("http = a:1\nhttp = a:2", {"bind": ["a:1", "a:2"]}),
    ("https = :443,c,k", {"bind": [":443"], "certfile": "c", "keyfile": "k"}),
    ("http-socket = @name", {"bind": ["unix:@name"]}),
    ("chmod-socket", {"socket_mode": "666"}),
    ("chmod-socket = 660", {"socket_mode": "660"}),
    ("listen = 100", {"backlog": 100}),
    ("processes = 4", {"workers": 4}),
    ("workers = 4", {"workers": 4}),
    ("threads = 2", {"threads": 2}),
    ("lazy-apps = true", {"preload": False}),
    ("lazy = 1", {"preload": False}),
    ("lazy-apps = false", {"preload": True}),
    ("chdir = %(base)/x\nbase = /srv", {"chdir": "%(base)/x"}),
    ("chdir2 = /srv", {"chdir": "/srv"}),
    ("env = A=1\nenv = B=2=3", {"env": {"A": "1", "B": "2=3"}}),
    ("harakiri = 60", {"timeout": 60}),
    ("http-headers-timeout = 5", {"head_timeout": 5}),
    ("http-keepalive", {}),
    ("http-keepalive = 65", {"keepalive": 65}),
    ("buffer-size = 32768", {"limit_request_head": "32k"}),
    ("limit-post = 1000", {"limit_request_body": 1000}),
    ("post-buffering = 4096", {"body_memory": "4k"}),
    ("max-requests = 1000", {"max_requests": 1000}),
    ("max-worker-lifetime = 3600", {"max_worker_lifetime": 3600}),
    ("reload-on-rss = 200", {"max_worker_memory": "200M"}),
    ("evil-reload-on-rss = 2048", {"max_worker_memory": "2G"}),
    ("worker-reload-mercy = 8", {"graceful_timeout": 8}),
    ("reload-mercy = 8", {"graceful_timeout": 8}),
    ("uid = www", {"user": "www"}),
    ("gid = 33", {"group": "33"}),
    ("umask = 022", {"umask": "022"}),
    ("pidfile = /x", {"pidfile": "/x"}),
    ("pidfile2 = /x", {"pidfile": "/x"}),
    ("safe-pidfile = /x", {"pidfile": "/x"}),
    ("logto = /x", {"error_logfile": "/x"}),
    ("logto2 = /x", {"error_logfile": "/x"}),
    ("disable-logging", {"access_log": "off"}),
    ("disable-logging = false", {}),
    (
        'log-format = %(addr) "%(method) %(uri) %(proto)" %(status) %(rsize) %(var.X)',
        {"access_log": '%(h)s "%(m)s %({RAW_URI}e)s %(H)s" %(s)s %(B)s %({X}e)s'},
    ),
    ("stats = 127.0.0.1:9191", {"status": "127.0.0.1:9191"}),
    ("stats = /run/stats", {"status": "unix:/run/stats"}),
    ("py-autoreload = 2", {"reload": True}),
    ("py-autoreload = 0", {"reload": False}),
    ("enable-proxy-protocol", {"proxy_protocol": True}),
    ("max-fd = 10000", {"raise_nofile": True}),
]
UWSGI_KNOW = {
    "socket = :3031": {"bind": [":3031"]},
    "uwsgi-socket = /x": {"bind": ["unix:/x"]},
    "socket-timeout = 10": {"body_timeout": 10},
    "http-timeout = 10": {"write_timeout": 10},
    "max-requests-delta = 5": {"max_requests_jitter": 5},
    "chown-socket = www\nuid = www\ngid = staff": {"user": "www", "group": "staff"},
    "chown-socket = www:staff\nuid = www\ngid = staff": {"user": "www", "group": "staff"},
    "chown-socket = www:www\nuid = www": {"user": "www"},
    "chown-socket = daemon:daemon\nuid = daemon": {"user": "daemon"},
    **{
        name: {}
        for name in words(
            """manage-script-name enable-threads master single-interpreter need-app
        no-orphans die-on-term vacuum strict thunder-lock reuse-port plugin plugins harakiri-verbose
        so-keepalive http-auto-chunked http-chunked-input wsgi-manage-chunked-input
        post-buffering-bufsize log-x-forwarded-for ignore-sigpipe ignore-write-errors
        disable-write-exception py-call-osafterfork py-call-uwsgi-fork-hooks offload-threads"""
        )
    },
}
UWSGI_MINOR = [
    *words(
        """max-vars min-worker-lifetime daemonize daemonize2 procname
        procname-prefix auto-procname req-logger log-maxsize log-4xx log-5xx memory-report
        touch-reload wsgi-disable-file-wrapper cheaper cheaper-initial cheaper-step cheaper-algo"""
    ),
    "log-format = %(metric.x)",
    "limit-post = 0",
]
UWSGI_LOST = [
    *words(
        """virtualenv venv home pythonpath python-path pp add-header route route-run static-map
        check-static http-websockets spooler mule cron attach-daemon import shared-import emperor
        paste ini include
        if-env for end unheard-of"""
    ),
    "mount = /x=app.py",
    "mount = x",
    "wsgi-file = /srv/wsgi.py",
    "wsgi-file = my-site.py",
    "https = :443",
    "workers = many",
    "reload-on-rss = much",
]


@pytest.mark.parametrize(("lines", "expected"), UWSGI_SAME, ids=[line for line, _ in UWSGI_SAME])
def test_an_option_of_uwsgi(lines: str, expected: dict[str, Any], tmp_path: Path) -> None:
    settings, comments, _ = translated("from_uwsgi", f"[uwsgi]\n{lines}\n", tmp_path)
    assert settings == ALWAYS | expected
    assert set(comments) <= ({LOST} if "base" in lines else set())


@pytest.mark.parametrize(
    "line",
    [
        "wsgi_app = 'fac:create_app(os.environ)'",
        "bind = 'localhost'",
        "access_log_format, accesslog = '%(zz)s', '-'",
        "forwarded_allow_ips = '10.0.0.0/99'",
    ],
)
def test_what_onegate_could_not_start_with_is_lost(line: str, tmp_path: Path) -> None:
    settings, _, lost = translated("from_gunicorn", line, tmp_path)
    assert lost
    assert not settings.keys() & {"app", "bind", "access_log", "forwarded_allow_ips"}


def test_a_factory_with_arguments_is_kept(tmp_path: Path) -> None:
    app = "fac:create_app('production', debug=False)"
    settings, _, lost = translated("from_gunicorn", f"wsgi_app = {app!r}", tmp_path)
    assert (settings["app"], lost) == (app, False)


@pytest.mark.parametrize(
    "lines",
    [
        "chown-socket = www",
        "chown-socket = www:nginx\nuid = app",
        "chown-socket = www:nginx\nuid = www",
        "chown-socket = daemon:root\nuid = daemon",
        "chown-socket = a:b\nuid = a\ngid = a",
    ],
)
def test_a_unix_socket_of_others_is_lost(lines: str, tmp_path: Path) -> None:
    assert translated("from_uwsgi", f"[uwsgi]\n{lines}\n", tmp_path)[2]


@pytest.mark.parametrize(
    ("line", "title"),
    [(line, KNOW) for line in UWSGI_KNOW]
    + [(line, MINOR) for line in UWSGI_MINOR]
    + [(line, LOST) for line in UWSGI_LOST],
)
def test_an_option_of_uwsgi_that_is_named(line: str, title: str, tmp_path: Path) -> None:
    settings, comments, _ = translated("from_uwsgi", f"[uwsgi]\n{line}\n", tmp_path)
    assert settings == ALWAYS | UWSGI_KNOW.get(line, {})
    assert list(comments) == [title]
    assert comments[title].startswith(line.partition(" =")[0] + " = ")


def test_every_rule_for_uwsgi_is_tested() -> None:
    lines = [line for lines, _ in UWSGI_SAME for line in lines.splitlines()]
    tested = {line.partition(" ")[0] for line in [*lines, *UWSGI_KNOW, *UWSGI_MINOR, *UWSGI_LOST]}
    assert set(UWSGI) - tested == set()


def test_a_file_of_uwsgi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERE", "www")
    text = """
    outside = 1
    [other]
    workers = 9
    [uwsgi]
    ; a comment = 1
    # another = 1
    base = /srv/%n
    chdir = %(base)/app
    uid = $(HERE)$(NOT_SET)
    pidfile = %d%%x
    master
    env = A=%(gone)
    """
    settings, comments, lost = translated("from_uwsgi", text, tmp_path)
    assert settings == ALWAYS | {
        "chdir": "/srv/given/app",
        "user": "www",
        "pidfile": f"{tmp_path}/%x",
        "env": {"A": "%(gone)"},
    }
    assert comments == {KNOW: "master = 'true': always on\n"}
    assert not lost


@pytest.mark.parametrize(("data", "message"), [(b"[other]\n", r"\[uwsgi\]"), (b"\xff", "utf-8")])
def test_no_file_of_uwsgi(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(SettingsError, match=message):
        uwsgi_ini.read(tmp_path / "x")


# ── the command ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("flag", "text", "status"),
    [
        ("--from-gunicorn", "workers = 3\nworker_class = 'sync'\ndaemon = True", 0),
        ("--from-gunicorn", "workers = 3\nworker_class = 'gevent'", 1),
        ("--from-gunicorn", "raise LookupError('told')", 2),
        ("--from-uwsgi", "[uwsgi]\nworkers = 3\nprocname = x", 0),
        ("--from-uwsgi", "[uwsgi]\nworkers = 3\ncron = x", 1),
        ("--from-uwsgi", "workers = 3", 2),
    ],
)
def test_exit_status(
    flag: str, text: str, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x").write_text(text)
    assert main([flag, str(tmp_path / "x")]) == status
    out, error = capsys.readouterr()
    assert ("workers = 3\n" in out) is (status < 2)
    assert error.count("\n") == (status == 2)


def test_a_value_cannot_break_a_comment(tmp_path: Path) -> None:
    settings, comments, _ = translated(
        "from_gunicorn", "class X(str):\n  def __repr__(self): return 'a\\nb\\x85'\nspew = X('x')",
        tmp_path,
    )  # fmt: skip
    assert settings == {}
    assert comments[MINOR].startswith("spew = a?b?: ")


def test_the_middleware_takes_out_all_that_is_refused() -> None:
    page = (ROOT / "docs/migrating.md").read_text("utf-8")
    [text] = re.findall(r"^  ```python\n(.*?)^  ```$", page, re.MULTILINE | re.DOTALL)
    manual: dict[str, Any] = {}
    exec(textwrap.dedent(text), manual)
    refused = [name.title() for name in response_validation._HOP_BY_HOP]
    kept = [("X-A", "b"), ("Content-Length", "2")]

    def app(_: object, start_response: Callable[..., object]) -> list[bytes]:
        start_response("200 OK", [*((name, "x") for name in refused), *kept])
        return [b"ok"]

    seen: list[object] = []
    assert manual["without_hop_by_hop"](app)({}, lambda *given: seen.extend(given)) == [b"ok"]
    assert seen == ["200 OK", kept, None]
    [listed] = re.findall(r"\*\*Hop-by-hop fields of an application\*\* \((.*?)\)", page)
    assert sorted(listed.lower().split(", ")) == sorted(response_validation._HOP_BY_HOP)
