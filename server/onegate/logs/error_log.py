"""The error log: the standard library's ``logging``, one line for each event.

    2025-11-23 16:39:00 +0000 [4711] INFO onegate 0.2.0 listens on http://127.0.0.1:8000
    2025-11-23 16:39:07 +0000 [4713 8f0c2d61a0e4-1f] ERROR ValueError while handling GET '/'
        Traceback (most recent call last):

A line begins with the time and is written at once. Further lines of the same message are indented,
and control characters are escaped, so that nothing a client sends can look like a line of its own.
Messages about a request have its id if they are logged with ``extra={"environ": environ}``.
"""

from __future__ import annotations

import logging
import time

from onegate.logs.request_id import request_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Logger(logging.Logger):
    """A logger that an application's ``dictConfig`` or ``fileConfig`` leaves as it is.

    Both disable every logger that exists already, by default, and tracebacks would vanish.
    """

    @property
    def disabled(self) -> bool:
        """Never."""
        return False

    @disabled.setter
    def disabled(self, value: object) -> None:
        pass


def _loggers() -> tuple[logging.Logger, logging.Logger]:
    """The server's own logger and that of its error log, created here before anything uses them."""
    before = logging.getLoggerClass()
    logging.setLoggerClass(_Logger)
    try:
        return logging.getLogger("onegate"), logging.getLogger("onegate.error")
    finally:
        logging.setLoggerClass(before)


parent, log = _loggers()

_INDENT = "    "


def escape_controls(text: str) -> str:
    """``text``, with everything escaped that moves a terminal's cursor or ends a line."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )


class Formatter(logging.Formatter):
    """Formats messages as the module describes."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and indented ones for a traceback."""
        when = time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(record.created))
        environ: dict[str, Any] | None = getattr(record, "environ", None)
        who = f"{record.process}" if environ is None else f"{record.process} {request_id(environ)}"
        first = f"{when} [{who}] {record.levelname} {escape_controls(record.getMessage())}"
        more = ""
        if record.exc_info:
            more = self.formatException(record.exc_info)
        if record.stack_info:
            more += "\n" + record.stack_info
        return "\n".join(
            [first, *(_INDENT + escape_controls(line) for line in more.split("\n") if line)]
        )
