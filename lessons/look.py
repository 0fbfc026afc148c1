"""Look at a server from outside: its processes as the kernel tells of them in /proc.

python lessons/look.py PID                the process and its children: parent, state, name
python lessons/look.py PID --descriptors  and what each of them has open
python lessons/look.py PID --count        only how many there are in each state
python lessons/look.py PID --wait-for 3   first wait until it sleeps, and so many children too
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path

STATES = {"R": "running", "S": "sleeping", "T": "stopped", "Z": "zombie <defunct>"}
PROC = Path("/proc")


def stat(pid: int) -> tuple[str, str, int]:
    """Name, state and parent of a process."""
    text = (PROC / str(pid) / "stat").read_text()
    name, _, rest = text.partition("(")[2].rpartition(")")
    state, parent = rest.split()[:2]
    return name, STATES.get(state, state), int(parent)


def family(pid: int) -> dict[int, tuple[str, str, int]]:
    """``pid`` and its children, the oldest first."""
    found = {}
    for path in sorted(PROC.glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            name, state, parent = stat(int(path.name))
        except OSError:
            continue  # it ended while we looked
        if pid in (int(path.name), parent):
            found[int(path.name)] = (name, state, parent)
    return found


def settled(pid: int, there: dict[int, tuple[str, str, int]], children: int) -> bool:
    """Whether ``pid`` waits for something, and so many of its children do."""
    sleeping = [each for each, (_, state, _) in there.items() if state == "sleeping"]
    return pid in sleeping and len(sleeping) > children


def descriptors(pid: int) -> str:
    """What is open, for example ``3 socket:[81234]``; a number in brackets names the same thing."""
    links = sorted((PROC / str(pid) / "fd").iterdir(), key=lambda link: int(link.name))
    return ", ".join(f"{link.name} {link.readlink()}" for link in links if int(link.name) > 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pid", type=int)
    parser.add_argument("--descriptors", action="store_true")
    parser.add_argument("--count", action="store_true")
    parser.add_argument("--wait-for", type=int, default=0, metavar="CHILDREN")
    options = parser.parse_args()
    until = time.monotonic() + 20
    there = family(options.pid)
    while options.wait_for and not settled(options.pid, there, options.wait_for):
        if time.monotonic() > until:
            break
        time.sleep(0.05)
        there = family(options.pid)
    if options.count:
        states = Counter(state for pid, (_, state, _) in there.items() if pid != options.pid)
        children = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        print(f"children of pid {options.pid}: {children or 'none'}")
        return
    for pid, (name, state, parent) in there.items():
        print(f"pid {pid}, parent pid {parent}: {name}, {state}")
        if options.descriptors and not state.startswith("zombie"):
            print(f"    {descriptors(pid)}")


if __name__ == "__main__":
    main()
