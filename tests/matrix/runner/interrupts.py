"""An interrupt that comes when the cells run, and neither before nor after."""

from __future__ import annotations

import signal
import sys
import threading
import time

PATIENCE = 120
"""Seconds for what has to happen."""


def interrupt() -> None:
    """As Ctrl-C does: a signal to the main thread, once that waits for the cells."""
    main, until = threading.main_thread().ident, time.monotonic() + PATIENCE
    assert main is not None
    while sys._current_frames()[main].f_code is not threading.Condition.wait.__code__:
        assert time.monotonic() < until, "the main thread does not wait for cells"
        time.sleep(0.001)
    signal.pthread_kill(main, signal.SIGINT)
