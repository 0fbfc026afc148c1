"""What holds for all tests."""

from __future__ import annotations

import signal

# A shell ignores SIGINT for what it starts in the background (POSIX, XCU 2.12), `make test &` say,
# and what is ignored stays so in every process that a test starts and then interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
