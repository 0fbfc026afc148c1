"""gunicorn's configuration file. It is a program, and is run as gunicorn would."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from pathlib import Path

from onegate.migrate.gunicorn_hook_check import missing_attributes
from onegate.migrate.translation import (
    NoEquivalent,
    Rule,
    Translation,
    absent,
    convert_value,
    not_needed,
    same,
)
from onegate.process.hook_loader import ABSENT
from onegate.process.hooks import HOOKS
from onegate.settings_error import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_COMBINED = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'


def _bind(value: Any) -> list[str]:
    items = [item.strip() for item in value.split(",")] if isinstance(value, str) else list(value)
    return [_unix(item) if item.startswith("unix:") else item for item in items]


def _unix(address: str) -> str:
    """Of a Unix socket: // may stand in front of the path, and a leading @ is part of a name."""
    path = address.removeprefix("unix:").removeprefix("//")
    return f"unix:./{path}" if path.startswith("@") else f"unix:{path}"


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _worker_class(value: Any) -> Mapping[str, Any]:
    if value not in ("sync", "gthread"):
        raise NoEquivalent(
            "the application is called in threads only: set --threads to the concurrency you need,"
            " or stay with gunicorn for greenlets or ASGI",
            essential=True,
        )
    return {}


def _positive(name: str, instead: str) -> Rule:
    """0 means something here that onegate does not have."""

    def settings(value: Any) -> Mapping[str, Any]:
        if value == 0:
            raise NoEquivalent(instead, essential=False)
        return {name: convert_value(name, value)}

    return Rule(name, settings)


def _access_log(value: Any) -> Mapping[str, Any]:
    return {"access_logfile": str(value)} if value else {}


def _mode(value: Any) -> Mapping[str, Any]:
    return {"umask": convert_value("umask", value if isinstance(value, str) else f"{value:o}")}


def _forwarded(value: Any) -> Mapping[str, Any]:
    # gunicorn believes them about the scheme and never touches REMOTE_ADDR. To believe more, of
    # "*" say, would let a client forge its address.
    return {"forwarded_allow_ips": str(value), "forwarded_headers": "x-forwarded-proto"}


def _scheme_headers(value: Any) -> Mapping[str, Any]:
    others = {name: word for name, word in value.items() if name.upper() != "X-FORWARDED-PROTO"}
    if others or value.get("X-FORWARDED-PROTO", "https") != "https":
        raise NoEquivalent("only x-forwarded-proto: https is supported", essential=True)
    return {}


def _proxy_protocol(value: Any) -> Mapping[str, Any]:
    return {"proxy_protocol": value not in (False, None, "off")}


_STRICT = "such requests are always refused"
_LOGGING = "onegate logs to standard error or --error-logfile"
_H2 = "HTTP/1.1 only; terminate HTTP/2 at the proxy in front"
_ASGI = "WSGI only"
_CLIENT_CERTIFICATES = "client certificates are not supported"
_PROCESS_TITLE = "the process title is not changed"
_TASKS = "no background tasks"
_CALLABLE = "name the callable that the file defines, as MODULE:APP"

RULES: dict[str, Rule] = {
    "wsgi_app": same("app"),
    "bind": same("bind", _bind),
    "backlog": same("backlog"),
    "workers": same("workers"),
    "threads": same("threads", remark="the environ has no gunicorn.socket, so no WebSockets"),
    "worker_class": Rule("not needed, or **lost**", _worker_class),
    "worker_connections": same("worker_connections"),
    "max_requests": same("max_requests"),
    "max_requests_jitter": same("max_requests_jitter"),
    "timeout": same("timeout"),
    "graceful_timeout": _positive("graceful_timeout", "send SIGQUIT to stop immediately"),
    "keepalive": _positive("keepalive", "keep-alive cannot be disabled"),
    "limit_request_line": _positive("limit_request_line", "there is always a limit"),
    "limit_request_fields": _positive("limit_request_fields", "there is always a limit"),
    "limit_request_field_size": _positive("limit_request_field_size", "there is always a limit"),
    "reload": same("reload"),
    "reload_extra_files": same("reload_extra_file"),
    "preload_app": same("preload"),
    "chdir": same("chdir"),
    "raw_env": same("env"),
    "pidfile": same("pidfile", _text),
    "user": same("user", _text),
    "group": same("group", _text),
    "umask": Rule("umask", _mode),
    "initgroups": not_needed("the user's supplementary groups are always set"),
    "root_path": same("root_path"),
    "tmp_upload_dir": same("spool", lambda value: value or "auto"),
    "forwarded_allow_ips": Rule("forwarded_allow_ips, forwarded_headers", _forwarded),
    "secure_scheme_headers": Rule("not needed, or **lost**", _scheme_headers),
    "forwarder_headers": absent(
        "proxy fields never set SCRIPT_NAME or PATH_INFO; see --root-path",
        "SCRIPT_NAME,PATH_INFO",
        essential=True,
    ),
    "header_map": absent("fields with _ in their name are always dropped", "drop", essential=True),
    "proxy_protocol": Rule("proxy_protocol", _proxy_protocol),
    "proxy_allow_ips": absent(
        "use forwarded_allow_ips, which covers the PROXY protocol", "127.0.0.1,::1", essential=True
    ),
    "certfile": same("certfile", _text),
    "keyfile": same("keyfile", _text),
    "ca_certs": absent(_CLIENT_CERTIFICATES, essential=True),
    "cert_reqs": absent(_CLIENT_CERTIFICATES, essential=True),
    "ssl_version": absent("always TLS 1.2 or newer"),
    "ciphers": absent("always the defaults of Python's ssl module"),
    "do_handshake_on_connect": not_needed("a handshake never blocks a worker"),
    "suppress_ragged_eofs": not_needed("they are never an error"),
    "accesslog": Rule("access_logfile", _access_log),
    "access_log_format": same("access_log", lambda text: "combined" if text == _COMBINED else text),
    "errorlog": same("error_logfile"),
    "loglevel": same("log_level"),
    "capture_output": absent("redirect standard output and error when starting onegate"),
    "logger_class": absent(_LOGGING, "gunicorn.glogging.Logger"),
    "logconfig": absent(_LOGGING),
    "logconfig_dict": absent(_LOGGING),
    "logconfig_json": absent(_LOGGING),
    "syslog": absent(_LOGGING),
    "syslog_addr": absent(_LOGGING),
    "syslog_prefix": absent(_LOGGING),
    "syslog_facility": absent(_LOGGING),
    "disable_redirect_access_to_syslog": not_needed("there is no syslog to redirect to"),
    "enable_stdio_inheritance": not_needed("printed lines are written immediately"),
    "statsd_host": absent("see --status"),
    "statsd_prefix": absent("see --status"),
    "dogstatsd_tags": absent("see --status"),
    "enable_backlog_metric": absent("see --status"),
    "control_socket": absent("see --status and the signals"),
    "control_socket_mode": absent("see --status and the signals"),
    "control_socket_disable": not_needed("there is no control socket"),
    "daemon": absent("run it under systemd, or in the background with &"),
    "proc_name": absent(_PROCESS_TITLE),
    "default_proc_name": absent(_PROCESS_TITLE),
    "pythonpath": absent("set PYTHONPATH when starting onegate", essential=True),
    "paste": absent(_CALLABLE, essential=True),
    "raw_paste_global_conf": absent(_CALLABLE, essential=True),
    "reload_engine": not_needed("watchfiles if installed, otherwise polling"),
    "spew": absent("use python -m trace"),
    "check_config": not_needed("run onegate --check-config"),
    "print_config": not_needed("run onegate --print-config"),
    "config": not_needed("this file"),
    "sendfile": not_needed("sendfile(2) is used where possible"),
    "reuse_port": not_needed("workers share one listening socket"),
    "worker_tmp_dir": not_needed("worker heartbeats use shared memory, not files"),
    "http_parser": not_needed("there is one parser"),
    "protocol": absent("HTTP only; make the proxy speak HTTP", "http", essential=True),
    "uwsgi_allow_ips": absent("HTTP only"),
    "permit_obsolete_folding": absent(_STRICT, essential=True),
    "strip_header_spaces": absent(_STRICT, essential=True),
    "permit_unconventional_http_method": absent(_STRICT, essential=True),
    "permit_unconventional_http_version": absent(_STRICT, essential=True),
    "casefold_http_method": absent("methods are case-sensitive", essential=True),
    "http_protocols": absent(_H2, "h1"),
    "http2_cleartext": absent(_H2, "off"),
    "http2_max_concurrent_streams": absent(_H2),
    "http2_initial_window_size": absent(_H2),
    "http2_max_frame_size": absent(_H2),
    "http2_max_header_list_size": absent(_H2),
    "asgi_loop": absent(_ASGI),
    "asgi_lifespan": absent(_ASGI),
    "asgi_disconnect_grace_period": absent(_ASGI),
    "websocket_max_message_size": absent(_ASGI),
    "dirty_apps": absent(f"{_TASKS}; use a task queue", essential=True),
    "dirty_workers": absent(_TASKS),
    "dirty_timeout": absent(_TASKS),
    "dirty_threads": absent(_TASKS),
    "dirty_graceful_timeout": absent(_TASKS),
    "on_dirty_starting": absent(_TASKS),
    "dirty_post_fork": absent(_TASKS),
    "dirty_worker_init": absent(_TASKS),
    "dirty_worker_exit": absent(_TASKS),
    **{name: absent(reason, essential=True) for name, reason in ABSENT.items()},
}
"""Every setting of gunicorn 27, except for the hooks that onegate has too."""


def from_gunicorn(path: Path) -> Translation:
    """Translate ``path``. Raises :class:`SettingsError` if it cannot be read or run."""
    try:
        path.stat()
        found = runpy.run_path(str(path), run_name="__config__")
    except OSError as error:
        raise SettingsError(f"--from-gunicorn {path}: {error.strerror}") from None
    except (Exception, SystemExit) as error:
        raise SettingsError(f"--from-gunicorn {path}: {type(error).__name__}: {error}") from None
    result = Translation(str(path))
    for name, value in found.items():
        # Other names are the file's own variables and imports, which gunicorn overlooks too.
        if name in RULES:
            result.apply(RULES[name], name, value)
        elif name in HOOKS and callable(value):
            result.values["hooks"] = str(path)
    if "hooks" in result.values:
        result.lost += missing_attributes(path)
    if "access_logfile" not in result.values:
        result.values.pop("access_log", None)  # a format alone writes nothing
    else:
        result.values.setdefault("access_log", "combined")
    return result
