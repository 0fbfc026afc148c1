"""Whose a leftover is: a name for one process, and whether that process may still run.

A process id means something on one machine, since one boot, in one pid namespace, and even there it
is given again; with the start time (field 22 of ``/proc/PID/stat``, in clock ticks since the boot)
it names one process. The parts are told apart because different things follow from each: of another
machine or another pid namespace nothing can be known, of an earlier boot nothing can be left.
"""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path

_MACHINE_ID = Path("/etc/machine-id")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/pid")


def owner() -> str:
    """This process: ``MACHINE.BOOT.NAMESPACE.PID.START``, each of letters and digits."""
    pid = os.getpid()
    return ".".join((*_place(), str(pid), start_time(pid) or ""))


def is_alive(value: str) -> bool:
    """Whether the process that :func:`owner` named ``value`` may still run.

    True for a process on another machine or in another pid namespace: nothing can be known of it.
    """
    try:
        machine, boot, namespace, pid, started = value.split(".")
        number = int(pid)
    except ValueError:
        return False  # not one of ours as we write them today
    here = _place()
    if machine != here[0]:
        return True
    if boot != here[1]:
        return False
    if namespace != here[2]:
        return True
    return start_time(number) == started


def of_this_boot(value: str) -> bool:
    """Whether the process ids that ``value`` goes with mean something here and now."""
    return tuple(value.split(".")[:3]) == _place()


def start_time(pid: int) -> str | None:
    """Start time of a live process in clock ticks since boot; ``None`` if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:  # not there, or not Linux
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def _place() -> tuple[str, str, str]:
    """This machine, its boot, and the set of processes that a process id is of."""
    machine = f"{platform.node()}\n{_read(_MACHINE_ID)}"
    return _short(machine), _short(_read(_BOOT_ID)), _short(_read(_NAMESPACE))


def _read(path: Path) -> str:
    try:
        return str(path.readlink()) if path.is_symlink() else path.read_text()
    except OSError:  # not Linux, or none of its files
        return ""


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
