"""``make soak``: onegate under a mixed load, while workers are killed and everything is reloaded.

Eight good clients check every answer; five kinds of bad ones come and go, ten at a time. Every few
seconds something happens to the server. The bar is 0 lost. What goes down with a worker that is
killed with SIGKILL is counted apart: nobody can answer for it.

Then, with ``--responses`` (a million), one worker with threads: :mod:`bench.soak_threads`.

Prints the counts, writes ``build/soak/`` (results and picture), with ``--docs`` also
``docs/results/soak.md`` and ``soak.svg``. Exit status 1 if anything was lost, or anything is left
over.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import platform
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from bench.soak_clients import APP, BAD, Good, Tally, misbehave
from bench.soak_report import Report, Sample, console, draw, write_docs
from bench.soak_threads import soak_threads
from docs.generate import versions

TOP = Path(__file__).resolve().parents[1]
NOFILE = 512
PAUSE = 4.0
"""Seconds between two events."""
EVERY = 2.0
"""Seconds between two samples."""
DEADLINE = 30.0
_PR_SET_CHILD_SUBREAPER = 36


class Soaked:
    """The server under test. Its masters come and go; this process inherits their orphans."""

    def __init__(self, folder: Path) -> None:
        (folder / "soaked.py").write_text(APP)
        self._log = folder / "log"
        self._folder = folder
        options = ("--workers", "3", "--max-requests", "3000", "--max-requests-jitter", "1000")
        with self._log.open("wb") as log:
            self.master = subprocess.Popen(
                [sys.executable, "-m", "onegate", "soaked:app", "--bind", "127.0.0.1:0", *options],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(TOP / "server")},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            ).pid
        # Before it has made a worker: it is an interpreter that is starting.
        resource.prlimit(self.master, resource.RLIMIT_NOFILE, (NOFILE, NOFILE))
        self.port = int(self.said(r"listens on http://127\.0\.0\.1:(\d+)"))

    @property
    def log(self) -> str:
        """All that it said."""
        return self._log.read_text(errors="backslashreplace")

    def said(self, pattern: str, since: int = 0) -> str:
        """Wait until it says so; the first group."""
        until = time.monotonic() + DEADLINE
        while not (match := re.compile(pattern).search(self.log, since)):
            if time.monotonic() > until:
                raise TimeoutError(f"{pattern!r} was never said:\n{self.log[-3000:]}")
            time.sleep(0.02)
        return match[1] if match.re.groups else match[0]

    def tell(self, number: signal.Signals) -> None:
        """Send a signal to the present master."""
        os.kill(self.master, number)

    def workers(self) -> dict[int, str]:
        """The children of the master with their states."""
        return children(self.master)

    def replace(self) -> None:
        """USR2, and wait for the new master."""
        before = len(self.log)
        old = self.master
        self.tell(signal.SIGUSR2)
        self.master = int(self.said(r"new master (\d+) has taken over", before))
        wait(lambda: ended(old), "the end of the old master")

    def broken_reload(self) -> None:
        """HUP with code that cannot be loaded, and once more with code that can."""
        before = len(self.log)
        (self._folder / "soaked.py").write_text("raise RuntimeError('broken')")
        self.tell(signal.SIGHUP)
        self.said("reload failed, keeping the old workers", before)
        (self._folder / "soaked.py").write_text(APP)

    def stop(self) -> int:
        """TERM; the exit status."""
        self.tell(signal.SIGTERM)
        wait(lambda: ended(self.master), "the end")
        return _statuses[self.master]


_statuses: dict[int, int] = {}


def reaped() -> set[int]:
    """Reap whoever has ended; the children that are left."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if not pid:
            break
        _statuses[pid] = os.waitstatus_to_exitcode(status)
    return set(children(os.getpid()))


def ended(pid: int) -> bool:
    """Whether it was reaped: a list of children that is read while they change may lack one."""
    reaped()
    return pid in _statuses


def children(pid: int) -> dict[int, str]:
    """The children of a process with their states."""
    found = {}
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found[int(child)] = state(int(child))
    except OSError:
        return {}
    return {child: letter for child, letter in found.items() if letter}


def state(pid: int) -> str:
    """The letter of its state; empty if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return ""


def wait(condition: Callable[[], bool], what: str) -> None:
    """Until it holds. Raises ``TimeoutError``."""
    until = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(what)
        time.sleep(0.02)


@dataclass
class Events:
    """What happens to the server, in turn."""

    server: Soaked
    tally: Tally
    began: float
    happened: list[tuple[float, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until all is over."""
        turn = 0
        events = (
            self._hup,
            self._kill,
            self._ttin,
            self._usr2,
            self._kill,
            self._ttou,
            self._broken,
        )
        while not self.over.wait(PAUSE):
            event = events[turn % len(events)]
            turn += 1
            self.happened.append((time.monotonic() - self.began, event.__name__.strip("_")))
            try:
                event()
            except (TimeoutError, OSError) as error:
                self.problems.append(f"{event.__name__}: {error}")

    def _hup(self) -> None:
        self.server.tell(signal.SIGHUP)

    def _kill(self) -> None:
        workers = [pid for pid, letter in self.server.workers().items() if letter != "Z"]
        victim = workers[len(self.happened) % len(workers)]
        with self.tally.lock:
            self.tally.victims.add(victim)
            self.tally.kills.append(time.monotonic())
        os.kill(victim, signal.SIGKILL)

    def _ttin(self) -> None:
        self.server.tell(signal.SIGTTIN)

    def _ttou(self) -> None:
        self.server.tell(signal.SIGTTOU)

    def _usr2(self) -> None:
        self.server.replace()

    def _broken(self) -> None:
        self.server.broken_reload()


def sample(
    server: Soaked, tally: Tally, began: float, zombies_before: set[int]
) -> tuple[Sample, set[int]]:
    """How things stand. A zombie counts if it was one at the last look already: whoever has just
    died is reaped a moment later."""
    workers = server.workers()
    pids = [pid for pid, letter in workers.items() if letter != "Z"]
    zombies = {pid for pid, letter in workers.items() if letter == "Z"}
    told = Sample(
        seconds=round(time.monotonic() - began, 1),
        right=tally.right,
        workers=len(pids),
        descriptors=max((descriptors(pid) for pid in pids), default=0),
        master_descriptors=descriptors(server.master),
        zombies=len(zombies & zombies_before),
        memory=max((memory(pid) for pid in pids), default=0),
        master_memory=memory(server.master),
    )
    return told, zombies


def descriptors(pid: int) -> int:
    """How many it has open; 0 if it is gone."""
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return 0


def memory(pid: int) -> int:
    """Its own memory in KiB; 0 if it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    match = re.search(r"RssAnon:\s+(\d+)", text)
    return int(match[1]) if match else 0


def soak(seconds: float, folder: Path) -> Report:
    """The whole run."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    server = Soaked(folder)
    began = time.monotonic()
    tally = Tally(server.port)
    events = Events(server, tally, began)
    runs: list[Callable[[], None]] = [events.run]
    runs += [Good(tally, name, keeps=name % 2 == 0).run for name in range(8)]
    runs += [lambda how=how: misbehave(tally, how) for how in BAD * 2]  # type: ignore[misc]
    threads = [threading.Thread(target=run, daemon=True) for run in runs]
    happens = threads[0]
    for thread in threads:
        thread.start()
    samples = []
    zombies: set[int] = set()
    while time.monotonic() - began < seconds:
        time.sleep(EVERY)
        told, zombies = sample(server, tally, began, zombies)
        samples.append(told)
    events.over.set()
    happens.join(2 * DEADLINE)
    # TERM comes under full load, too.
    status = server.stop()
    tally.over.set()
    for thread in threads:
        thread.join(DEADLINE)
    left = reaped()
    problems = [*events.problems]
    if status:
        problems.append(f"exit status {status}")
    if left:
        problems.append(f"processes left: {sorted(left)}")
    return Report(
        date=time.strftime("%Y-%m-%d"),
        onegate=versions.onegate(),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release().split('-')[0]}",
        processors=os.cpu_count() or 0,
        seconds=round(time.monotonic() - began),
        sent=tally.sent,
        right=tally.right,
        lost=tally.lost,
        killed=tally.killed,
        bad=tally.bad,
        events=events.happened,
        samples=samples,
        problems=problems,
    )


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description="see the module")
    parser.add_argument("seconds", type=float, nargs="?", default=600.0)
    parser.add_argument("--responses", type=int, default=1_000_000, help="for the part of threads")
    parser.add_argument("--docs", action="store_true", help="write docs/results/ too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        report = soak(arguments.seconds, Path(folder))
        log = (Path(folder) / "log").read_text(errors="backslashreplace")
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        outcome = soak_threads(arguments.responses, Path(folder))
        report = replace(
            report,
            compared=outcome.total,
            problems=[*report.problems, *(f"threads: {each}" for each in outcome.wrong)],
        )
    build = TOP / "build" / "soak"
    build.mkdir(parents=True, exist_ok=True)
    (build / "results.json").write_text(json.dumps(asdict(report), indent=1) + "\n")
    (build / "soak.svg").write_text(draw(report))
    (build / "log").write_text(log)
    print(console(report), end="")
    if arguments.docs:
        write_docs(report, TOP / "docs" / "results")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
