"""A real systemd, as a manager of user services, in a corner of its own.

It runs in a mount namespace (with a /run of its own, in which the machine counts as booted with
systemd), in a control group of its own, and with a runtime directory and a home of its own. What
it starts ends with it, and it ends with whoever started it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.server.helpers import DEADLINE, wait_for
from tests.server.processes import running

if TYPE_CHECKING:
    from collections.abc import Iterator

SYSTEMD = "/lib/systemd/systemd"
# As root: the namespace and the control groups; then, as the user who runs the tests, systemd.
START = """
set -eu
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/systemd/system
for group in $GROUPS_TO_MAKE; do
    mkdir "$group"
    echo $$ >"$group/cgroup.procs"
    chown -R "$TEST_UID" "$group"
done
exec setpriv --reuid "$TEST_UID" --regid "$TEST_GID" --clear-groups --pdeathsig TERM \\
    env -i PATH="$PATH" HOME="$TEST_FOLDER/home" XDG_RUNTIME_DIR="$TEST_FOLDER/run" \\
    SYSTEMD_UNIT_PATH="$TEST_FOLDER/units:/usr/lib/systemd/user" SYSTEMD_LOG_TARGET=console \\
    {systemd} --user --unit=basic.target
"""
ROOT = [] if os.geteuid() == 0 else ["sudo", "-n", "-E"]


def hierarchies() -> list[Path]:
    """Where systemd keeps its control groups: the unified one, and of version 1 the named one."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [
        Path(place)
        for _, place, kind, options, *_ in mounts
        if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(","))
    ]


def _remove(group: Path) -> None:
    """Remove a control group with those in it, if no process is in there."""
    inner = [each for each in group.rglob("*") if each.is_dir()] if group.exists() else []
    for each in [*sorted(inner, reverse=True), group]:
        subprocess.run([*ROOT, "rmdir", str(each)], check=False, capture_output=True)


class Manager:
    """The running systemd. ``folder`` is short: the names of Unix sockets have 107 octets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._units = folder / "units"
        for each in hierarchies():
            for left in each.glob("onegate-tests-*"):  # by a run that was killed
                if not running(int(left.name.rpartition("-")[2])):
                    _remove(left)
        self._groups = [each / f"onegate-tests-{os.getpid()}" for each in hierarchies()]
        for name, mode in (("units", 0o755), ("home", 0o755), ("run", 0o700)):
            (folder / name).mkdir(mode=mode)
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*ROOT, "unshare", "--mount", "sh", "-c", START.replace("{systemd}", SYSTEMD)],
                env={
                    **os.environ,
                    "GROUPS_TO_MAKE": " ".join(map(str, self._groups)),
                    "TEST_FOLDER": str(folder),
                    "TEST_UID": str(os.getuid()),
                    "TEST_GID": str(os.getgid()),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait(self) -> None:
        """Wait until it manages."""

        def manages() -> bool:
            assert self._process.poll() is None, self.log
            return self.show("basic.target", "ActiveState") == "active"

        wait_for(manages, "systemd")

    @property
    def log(self) -> str:
        """What it wrote."""
        return (self.folder / "log").read_text(errors="backslashreplace")

    def systemctl(self, *words: str, status: int | None = 0) -> str:
        """Run systemctl to its end, which has to be ``status``; its standard output."""
        ended = subprocess.run(
            ["systemctl", "--user", "--no-pager", *words],
            env={"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(self.folder / "run")},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert status in (None, ended.returncode), f"{words}: {ended.stderr}\n{self.log}"
        return ended.stdout.strip()

    def show(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.systemctl("show", "--value", f"--property={name}", unit, status=None)

    def processes(self, unit: str) -> list[int]:
        """Who is in its control group."""
        group = self.show(unit, "ControlGroup")
        for each in hierarchies():
            file = Path(f"{each}{group}/cgroup.procs")
            if group and file.exists():
                return [int(pid) for pid in file.read_text().split()]
        return []

    @contextlib.contextmanager
    def units(self, **texts: str) -> Iterator[None]:
        """Have units ``name_kind``, say ``site_service``; afterwards they are stopped and gone."""
        names = {name.replace("_", "."): text for name, text in texts.items()}
        for name, text in names.items():
            (self._units / name).write_text(text)
        self.systemctl("daemon-reload")
        try:
            yield
        finally:
            self.systemctl("kill", "--signal=KILL", *names, status=None)
            self.systemctl("stop", *names, status=None)
            self.systemctl("reset-failed", *names, status=None)
            for name in names:
                (self._units / name).unlink()
            self.systemctl("daemon-reload")

    def end(self) -> None:
        """End it, with all that it started; nothing is left of it."""
        if self._process.poll() is None:
            with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
                self.systemctl("exit", status=None)
                self._process.wait(DEADLINE)
        for group in self._groups:
            self._empty(group)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(DEADLINE)
        for group in self._groups:
            _remove(group)
        assert not any(group.exists() for group in self._groups), "control groups are left"

    @staticmethod
    def _empty(group: Path) -> None:
        """Kill who is still in a control group of ours."""

        def empty() -> bool:
            members = [
                int(pid)
                for procs in group.rglob("cgroup.procs")
                for pid in procs.read_text().split()
            ]
            for pid in members:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not members

        if group.exists():
            wait_for(empty, f"the end of what was in {group}")
