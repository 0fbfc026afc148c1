"""Lesson 10: what is still missing. The same experiments on lesson 9 and on onegate, as a table."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import time
from pathlib import Path

from client import wait_for_server
from rules import judge

HERE = Path(__file__).parent
PORT = 8100
SERVERS = (
    [sys.executable, str(HERE / "lesson09_wsgi_fork.py"), "rules:app", "--port", str(PORT)],
    [sys.executable, "-m", "onegate", "rules:app", "--workers", "2", "--bind", f"127.0.0.1:{PORT}"],
)


def limits(nofile: int, nproc: int) -> None:
    """For the server alone, in its process before it starts."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))
    resource.setrlimit(resource.RLIMIT_NPROC, (nproc, nproc))


def load(command: list[str], *client: str, nofile: int = 1024, nproc: int = 2000) -> str:
    """Start the server, let client.py at it, and see what became of both."""
    with subprocess.Popen(
        command,
        cwd=HERE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: limits(nofile, nproc),  # noqa: PLW1509 - we have no threads
    ) as server:
        wait_for_server(PORT)
        ask = [sys.executable, str(HERE / "client.py"), "--port", str(PORT), *client]
        said = subprocess.run(ask, capture_output=True, text=True, check=True).stdout
        time.sleep(1)  # for the last children to be waited for
        look = [sys.executable, str(HERE / "look.py"), str(server.pid), "--count"]
        left = subprocess.run(look, capture_output=True, text=True, check=True).stdout
        ended = server.poll() is not None
        server.terminate()
        assert server.stderr is not None
        last = server.stderr.read().strip().rpartition("\n")[2]
    answered = re.search(r"(\d+) answered\n", said)
    text = f"{answered[1] if answered else 0} answered"
    if ended:
        return f"{text}; **it died:** {last}"
    zombies = re.search(r"\d+ zombie", left)
    return f"{text}, {zombies[0] if zombies else 'no zombie'}"


def main() -> None:
    kept = [judge(command) for command in SERVERS]
    print("| | lesson 9 | onegate |\n|---|---|---|")
    for rule in kept[0]:
        marks = " | ".join("kept" if found[rule] else "**broken**" for found in kept)
        print(f"| {rule.says} ({rule.where}) | {marks} |")
    print(
        f"| **rules kept, of {len(kept[0])}** | {' | '.join(str(sum(k.values())) for k in kept)} |"
    )
    for title, client, most in (
        ("128 clients at once, 10 times", ("--max-conns", "128", "--rounds", "10"), {}),
        ("300 clients, 256 descriptors", ("--max-conns", "300"), {"nofile": 256}),
        ("500 silent for 8 s, then asking; 400 processes",
         ("--max-conns", "500", "--hold", "8"), {"nofile": 500, "nproc": 400}),
    ):  # fmt: skip
        print(f"| {title} | {' | '.join(load(each, *client, **most) for each in SERVERS)} |")


if __name__ == "__main__":
    main()
