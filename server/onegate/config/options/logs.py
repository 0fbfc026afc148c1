"""Access log and error log."""

from __future__ import annotations

from onegate.config.option import Group, option
from onegate.config.types import Choice, Kind


class Logs(Group, title="Logs"):
    """Options on the access log and the error log."""

    access_log: str = option(
        "off",
        Kind("FORMAT"),
        help="line to log for each response: off, common, combined, json, or a format of gunicorn's"
        " atoms such as '%(h)s \"%(r)s\" %(s)s %(b)s'",
        why="the proxy in front writes one, and each line costs time; combined if access_logfile is"
        " set and access_log is not",
        gunicorn="access_log_format, combined",
        uwsgi="--log-format; on",
        waitress="-, TransLogger",
        others="granian --access-log-fmt",
    )
    access_logfile: str = option(
        "-",
        Kind("FILE"),
        help="file for the access log; - is standard output",
        why="containers and systemd collect standard output; errors go to standard error",
        gunicorn="accesslog, off",
        uwsgi="--req-logger",
    )
    error_logfile: str = option(
        "-",
        Kind("FILE"),
        help="file for the error log, the server's own messages; - is standard error",
        why="containers and systemd collect it",
        gunicorn="errorlog -",
        uwsgi="--logto",
        waitress="logging",
    )
    log_level: str = option(
        "info",
        Choice("debug", "info", "warning", "error", "critical"),
        help="minimum severity to log",
        why="start, stop and failures, but no line for an ordinary request",
        gunicorn="loglevel info",
        waitress="logging",
        others="puma quiet",
    )
