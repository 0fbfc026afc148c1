"""What is written down."""

from __future__ import annotations

from onegate.config.option import Group, option
from onegate.config.types import Choice, Kind


class Logs(Group, title="Logs"):
    """Options on the access log and the error log."""

    access_log: str = option(
        "off",
        Kind("FORMAT"),
        help="a line for every answer: off, common, combined, json, or a format with gunicorn's"
        " atoms such as '%(h)s \"%(r)s\" %(s)s %(b)s'",
        why="the proxy in front writes one, and each line costs time; combined where an"
        " access_logfile is named and nothing else is said",
        gunicorn="access_log_format, combined",
        uwsgi="--log-format; on",
        waitress="-, TransLogger",
        others="granian --access-log-fmt",
    )
    access_logfile: str = option(
        "-",
        Kind("FILE"),
        help="where these lines go; - for standard output",
        why="containers and systemd collect standard output; errors are apart, on standard error",
        gunicorn="accesslog, off",
        uwsgi="--req-logger",
    )
    error_logfile: str = option(
        "-",
        Kind("FILE"),
        help="where the server's own messages go; - for standard error",
        why="containers and systemd collect it",
        gunicorn="errorlog -",
        uwsgi="--logto",
        waitress="logging",
    )
    log_level: str = option(
        "info",
        Choice("debug", "info", "warning", "error", "critical"),
        help="the least that is worth a message",
        why="start, stop and what goes wrong, but no line for a request",
        gunicorn="loglevel info",
        waitress="logging",
        others="puma quiet",
    )
