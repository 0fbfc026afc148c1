"""One session of a lesson, inside the place where it runs: standard library only.

python shell.py SESSION.json    a list of commands; JSON on stdout: what each of them showed

The commands go to one ``sh``, as if they were typed one after the other.
"""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
import time
from pathlib import Path

DEADLINE = 150.0
"""Seconds for one command."""

MARK = "-- end of command --"

# The names that bash has, and that the pages use: dash calls the limit of processes -p.
BEGIN = """ulimit() { if [ "$1" = -u ]; then shift; set -- -p "$@"; fi; command ulimit "$@"; }
exec 2>&1
"""


class Shell:
    """A shell that takes commands from us."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self.selector = selectors.DefaultSelector()
        assert self.process.stdout is not None
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        self.run(BEGIN)

    def run(self, command: str) -> str:
        """What ``command`` showed. Raises TimeoutError, EOFError."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{command}\necho '{MARK}'\n".encode())
        shown, until = b"", time.monotonic() + DEADLINE
        while not shown.endswith(f"{MARK}\n".encode()):
            if not self.selector.select(max(until - time.monotonic(), 0)):
                raise TimeoutError(f"{command!r} went on for {DEADLINE:.0f} s; it showed {shown!r}")
            if not (part := self.process.stdout.read(65536)):
                raise EOFError(f"{command!r} ended the shell; it showed {shown!r}")
            shown += part
        return shown.decode().removesuffix(f"{MARK}\n")


def main() -> None:
    shell = Shell()
    commands = json.loads(Path(sys.argv[1]).read_text())
    print(json.dumps([shell.run(command) for command in commands]), flush=True)


if __name__ == "__main__":
    main()
