"""``onegate.logs.error_log``: lines that nothing can break."""

from __future__ import annotations

import logging
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onegate.logs.request_id import KEY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Serve

LOG = logging.getLogger("onegate.error")
BEGIN = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} \[\d+( [^ \]]+)?\] [A-Z]+ "


def test_a_line(error_log_file: Path) -> None:
    LOG.info("told %d", 3)
    assert re.fullmatch(rf"{BEGIN}told 3\n", error_log_file.read_text())
    assert f"[{os.getpid()}] INFO" in error_log_file.read_text()


def test_a_line_about_a_request_names_it(error_log_file: Path) -> None:
    environ: dict[str, Any] = {}
    LOG.error("told", extra={"environ": environ})
    assert f"[{os.getpid()} {environ[KEY]}] ERROR told\n" in error_log_file.read_text()


def test_a_traceback_is_indented(error_log_file: Path) -> None:
    try:
        raise ValueError(
            "first\n2025-11-23 16:39:00 +0000 [1] INFO second\r\x1b[2K\x85third\u2028é"
        )
    except ValueError:
        LOG.exception("told\nagain", stack_info=True)
    first, *others = error_log_file.read_text("utf-8").splitlines()
    assert re.fullmatch(rf"{BEGIN}told\\nagain", first)
    assert all(line.startswith("    ") for line in others)
    assert r"    2025-11-23 16:39:00 +0000 [1] INFO second\r\x1b[2K\x85third\u2028é" in others
    assert "    Stack (most recent call last):" in others


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters()))
def test_whatever_it_says_a_message_is_one_line(error_log_file: Path, text: str) -> None:
    size = error_log_file.stat().st_size
    LOG.info("%s", text)
    octets = error_log_file.read_bytes()[size:]
    line = octets.decode("utf-8")
    assert line.endswith("\n")
    assert line[:-1].isprintable()


# ── what an application does to logging ──────────────────────────────────────────────────────────

CONFIGURES = """
import logging, logging.config, os

def configure():
    if {how!r} == "dict":
        logging.config.dictConfig({{"version": 1}})
    elif {how!r} == "file":
        with open("logging.ini", "w") as file:
            file.write("[loggers]\\nkeys=root\\n[handlers]\\nkeys=\\n[formatters]\\nkeys=\\n"
                       "[logger_root]\\nhandlers=\\n")
        logging.config.fileConfig("logging.ini")
    else:
        for each in list(logging.root.manager.loggerDict.values()):
            each.disabled = True

if {when!r} == "import":
    configure()

def app(environ, start_response):
    configure()
    raise ValueError("boom")
"""


@pytest.mark.parametrize("when", ["import", "call"])
@pytest.mark.parametrize("how", ["dict", "file", "disabled"])
def test_an_application_that_configures_logging_keeps_our_messages(
    serve: Serve, how: str, when: str
) -> None:
    server = serve(CONFIGURES.format(how=how, when=when), "--max-requests", "1")
    assert server.get().status == 500
    server.wait_for_log("ERROR ValueError while handling GET")
    server.wait_for_log("    ValueError: boom")
    server.wait_for_log("INFO .*has reached --max-requests")
