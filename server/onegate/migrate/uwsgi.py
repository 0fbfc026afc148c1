"""uWSGI's ini file."""

from __future__ import annotations

import grp
import pwd
import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath

from onegate.migrate import uwsgi_ini as ini
from onegate.migrate.translation import (
    NoEquivalent,
    Rule,
    Translation,
    absent,
    convert_value,
    not_needed,
    same,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_OFF = ("false", "0", "no", "off")


def _switch(name: str, *, on: bool = True) -> Rule:
    """A switch; ``on``: what it sets when it is on."""
    return Rule(name, lambda value: {name: (value.lower() not in _OFF) is on})


def _more(name: str, convert: Callable[[str], Any] = str) -> Rule:
    """One more item of a setting that may be repeated."""
    return Rule(name, lambda value: {name: convert_value(name, convert(value))})


def _module(value: str) -> Mapping[str, Any]:
    return {"app": value if ":" in value else f"{value}:application"}


def _wsgi_file(value: str) -> Mapping[str, Any]:
    file = PurePath(value)
    name = ".".join(file.with_suffix("").parts)
    if file.is_absolute() or file.suffix != ".py" or not re.fullmatch(r"\w+(\.\w+)*", name):
        raise NoEquivalent("name it as a module, with --chdir to its directory", essential=True)
    return {"app": f"{name}:application"}


def _mount(value: str) -> Mapping[str, Any]:
    path, equals, app = value.partition("=")
    if not equals or not re.fullmatch(r"[\w.]+:[\w.]+", app):
        raise NoEquivalent("name one application, as module:app", essential=True)
    return {"app": app, "root_path": path.rstrip("/")}


def _address(value: str) -> str:
    if re.fullmatch("[0-9]+", value):
        return f"0.0.0.0:{value}"
    return value if re.search(r":\d+$", value) else f"unix:{value}"


def _limit_post(value: str) -> Mapping[str, Any]:
    if not (limit := convert_value("limit_request_body", value)):
        raise NoEquivalent("there is always a limit", essential=False)
    return {"limit_request_body": limit}


def _https(value: str) -> Mapping[str, Any]:
    address, *files = value.split(",")
    if len(files) != 2:
        raise NoEquivalent("only address,certificate,key is supported", essential=True)
    return {"bind": (_address(address),), "certfile": files[0], "keyfile": files[1]}


def _chmod(value: str) -> Mapping[str, Any]:
    return {"socket_mode": convert_value("socket_mode", "666" if value == "true" else value)}


def _memory(value: str) -> Mapping[str, Any]:
    return {"max_worker_memory": int(value) << 20}


def _no_log(value: str) -> Mapping[str, Any]:
    return {} if value.lower() in _OFF else {"access_log": "off"}


_ATOMS = {
    "addr": "h", "user": "u", "ltime": "t", "method": "m", "uri": "{RAW_URI}e", "proto": "H",
    "status": "s", "rsize": "B", "msecs": "M", "micros": "D", "secs": "T", "pid": "p",
    "referer": "f", "uagent": "a", "host": "{host}i",
}  # fmt: skip


def _log_format(value: str) -> Mapping[str, Any]:
    def atom(match: re.Match[str]) -> str:
        name = match[1]
        if name.startswith("var."):
            return f"%({{{name[4:]}}}e)s"
        if name not in _ATOMS:
            raise NoEquivalent(f"no atom is equivalent to %({name})", essential=False)
        return f"%({_ATOMS[name]})s"

    return {"access_log": re.sub(r"%\(([^()]+)\)", atom, value.replace("%%", "%"))}


def _socket(value: str) -> Mapping[str, Any]:
    return {"bind": (_address(value),)}


_HTTP = "onegate speaks HTTP: in nginx, replace uwsgi_pass with proxy_pass"
_STATIC = "serve files from the proxy in front, or from the application"
_ROUTE = "do it in the proxy in front, or in WSGI middleware"
_TASKS = "no background tasks; use a task queue or cron"
_SCALE = "the number of workers is fixed; TTIN and TTOU change it"
_ALWAYS = "always on"
_CHOWN = "Unix sockets belong to --user and --group"
_VENV = "start the onegate that is installed in it"
_PATH = "set PYTHONPATH when starting onegate"
_DAEMON = "run it under systemd, or in the background with &; see --error-logfile"
_PROCESS_TITLE = "the process title is not changed"
_GONE = "a client that disconnects is not an error"
_IMPORT = "import it in the application"
_FILE = "translate that file with --from-uwsgi too"

RULES: dict[str, Rule] = {
    "module": Rule("app", _module),
    "wsgi": Rule("app", _module),
    "wsgi-file": Rule("app", _wsgi_file),
    "file": Rule("app", _wsgi_file),
    "callable": Rule("app", lambda value: {"callable": value}),
    "mount": Rule("app, root_path", _mount),
    "manage-script-name": not_needed("root_path does that"),
    "http-socket": Rule("bind", _socket),
    "http11-socket": Rule("bind", _socket),
    "http": Rule("bind", _socket),
    "https": Rule("bind, certfile, keyfile", _https),
    "socket": Rule("bind", _socket, _HTTP),
    "uwsgi-socket": Rule("bind", _socket, _HTTP),
    "chmod-socket": Rule("socket_mode", _chmod),
    "chown-socket": Rule("not needed, or **lost**", lambda value: {"chown-socket": value}, _CHOWN),
    "listen": same("backlog"),
    "processes": same("workers"),
    "workers": same("workers"),
    "threads": same("threads"),
    "enable-threads": not_needed(_ALWAYS),
    "master": not_needed(_ALWAYS),
    "single-interpreter": not_needed(_ALWAYS),
    "need-app": not_needed(_ALWAYS),
    "no-orphans": not_needed(_ALWAYS),
    "die-on-term": not_needed("TERM stops onegate gracefully"),
    "vacuum": not_needed(_ALWAYS),
    "strict": not_needed(_ALWAYS),
    "thunder-lock": not_needed("the kernel does not wake every worker"),
    "reuse-port": not_needed("workers share one listening socket"),
    "lazy-apps": _switch("preload", on=False),
    "lazy": _switch("preload", on=False),
    "plugin": not_needed("there are no plugins"),
    "plugins": not_needed("there are no plugins"),
    "chdir": same("chdir"),
    "chdir2": same("chdir"),
    "virtualenv": absent(_VENV, essential=True),
    "venv": absent(_VENV, essential=True),
    "home": absent(_VENV, essential=True),
    "pythonpath": absent(_PATH, essential=True),
    "python-path": absent(_PATH, essential=True),
    "pp": absent(_PATH, essential=True),
    "env": _more("env"),
    "harakiri": same("timeout"),
    "harakiri-verbose": not_needed("the log shows where a worker was stuck"),
    "socket-timeout": same("body_timeout", remark="per 16 KiB instead of per read"),
    "http-timeout": same(
        "write_timeout", remark="concerns the client only; --timeout is for calls"
    ),
    "http-headers-timeout": same("head_timeout"),
    "http-keepalive": Rule(
        "keepalive",
        lambda value: {} if value == "true" else {"keepalive": convert_value("keepalive", value)},
    ),
    "so-keepalive": not_needed("connections have timeouts of their own"),
    "http-auto-chunked": not_needed(_ALWAYS),
    "http-chunked-input": not_needed(_ALWAYS),
    "wsgi-manage-chunked-input": not_needed(_ALWAYS),
    "buffer-size": same("limit_request_head"),
    "max-vars": absent("see --limit-request-fields"),
    "limit-post": Rule("limit_request_body", _limit_post),
    "post-buffering": same("body_memory"),
    "post-buffering-bufsize": not_needed("the buffer size is fixed"),
    "max-requests": same("max_requests"),
    "max-requests-delta": same(
        "max_requests_jitter", remark="random, not derived from the worker's number"
    ),
    "min-worker-lifetime": absent("a worker that dies early is replaced after a back-off"),
    "max-worker-lifetime": same("max_worker_lifetime"),
    "reload-on-rss": Rule("max_worker_memory", _memory),
    "evil-reload-on-rss": Rule("max_worker_memory", _memory),
    "worker-reload-mercy": same("graceful_timeout"),
    "reload-mercy": same("graceful_timeout"),
    "uid": same("user"),
    "gid": same("group"),
    "umask": same("umask"),
    "pidfile": same("pidfile"),
    "safe-pidfile": same("pidfile"),
    "pidfile2": same("pidfile"),
    "daemonize": absent(_DAEMON),
    "daemonize2": absent(_DAEMON),
    "procname": absent(_PROCESS_TITLE),
    "procname-prefix": absent(_PROCESS_TITLE),
    "auto-procname": absent(_PROCESS_TITLE),
    "logto": same("error_logfile"),
    "logto2": same("error_logfile"),
    "req-logger": absent("see --access-logfile"),
    "disable-logging": Rule("access_log", _no_log),
    "log-format": Rule("access_log", _log_format),
    "log-x-forwarded-for": not_needed("see --forwarded-headers"),
    "log-maxsize": absent("rotate the files with logrotate and send USR1"),
    "log-4xx": absent("the access log has every response, or is off"),
    "log-5xx": absent("the access log has every response, or is off"),
    "memory-report": absent("see --status"),
    "stats": Rule("status", lambda value: {"status": _address(value)}),
    "py-autoreload": _switch("reload"),
    "touch-reload": absent("send HUP; for development see --reload"),
    "enable-proxy-protocol": _switch("proxy_protocol"),
    "ignore-sigpipe": not_needed(_GONE),
    "ignore-write-errors": not_needed(_GONE),
    "disable-write-exception": not_needed(_GONE),
    "py-call-osafterfork": not_needed(_ALWAYS),
    "py-call-uwsgi-fork-hooks": not_needed(_ALWAYS),
    "offload-threads": not_needed("slow clients do not block a worker"),
    "wsgi-disable-file-wrapper": absent("sendfile(2) is used where possible"),
    "max-fd": Rule("raise_nofile", lambda _: {"raise_nofile": True}),
    "cheaper": absent(_SCALE),
    "cheaper-initial": absent(_SCALE),
    "cheaper-step": absent(_SCALE),
    "cheaper-algo": absent(_SCALE),
    "http-websockets": absent("no WebSockets; serve them with another server", essential=True),
    "add-header": absent(_ROUTE, essential=True),
    "route": absent(_ROUTE, essential=True),
    "route-run": absent(_ROUTE, essential=True),
    "static-map": absent(_STATIC, essential=True),
    "check-static": absent(_STATIC, essential=True),
    "spooler": absent(_TASKS, essential=True),
    "mule": absent(_TASKS, essential=True),
    "cron": absent(_TASKS, essential=True),
    "attach-daemon": absent("start it with systemd", essential=True),
    "import": absent(_IMPORT, essential=True),
    "shared-import": absent(_IMPORT, essential=True),
    "emperor": absent("run one systemd unit or container per application", essential=True),
    "paste": absent("name the callable that the file defines, as MODULE:APP", essential=True),
    "ini": absent(_FILE, essential=True),
    "include": absent(_FILE, essential=True),
}
"""Options found in real files. An option that is not here counts as lost."""


def from_uwsgi(path: Path) -> Translation:
    """Translate ``path``. Raises :class:`onegate.SettingsError` if it cannot be read."""
    result = Translation(str(path))
    # uWSGI's defaults: one load before the fork, and a line for each request.
    result.values.update(preload=True, access_log="combined")
    binds: list[str] = []
    pairs: list[tuple[str, str]] = []
    items, used = ini.read(path)
    for name, value in items:
        rule = RULES.get(name)
        if rule is not None:
            result.apply(rule, name, value)
            binds += result.values.pop("bind", ())
            pairs += result.values.pop("env", ())
        elif ini.LOGIC.fullmatch(name):
            result.lost.append(f"{name} = {value!r}: conditions and loops are not supported")
        elif name not in used:
            result.lost.append(f"{name} = {value!r}: unknown option")
    _finish(result, binds, pairs)
    return result


def _group_of(user: str) -> str:
    """The group of ``user``; if there is no such user, the group of the same name."""
    try:
        return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
    except KeyError:
        return user


def _finish(result: Translation, binds: list[str], pairs: list[tuple[str, str]]) -> None:
    """Put together what several options say."""
    values = result.values
    if binds:
        values["bind"] = tuple(binds)
    if pairs:
        values["env"] = tuple(pairs)
    if chown := values.pop("chown-socket", None):
        wanted = chown.split(":")
        user = values.get("user", "")
        given = (user, values.get("group") or _group_of(user))
        if tuple(wanted) not in (given, given[:1]):
            result.lost.append(f"chown-socket = {chown!r}: {_CHOWN}, which differ")
    name = values.pop("callable", None)
    if name and "app" in values:
        values["app"] = f"{values['app'].partition(':')[0]}:{name}"
