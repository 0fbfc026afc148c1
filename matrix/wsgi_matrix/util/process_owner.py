"""The owner of a leftover: a name for one process, and whether that process may still be running.

A pid is valid on one host, since one boot, in one pid namespace, and may be reused even there; with
the start time (field 22 of ``/proc/PID/stat``, in clock ticks since boot) it identifies a process.
The parts are separate because they mean different things: processes of another host or another pid
namespace cannot be checked, those of an earlier boot have ended.
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
    """This process: ``HOST.BOOT.NAMESPACE.PID.START``, each of letters and digits."""
    pid = os.getpid()
    return ".".join((*_place(), str(pid), start_time(pid) or ""))


def is_alive(value: str) -> bool:
    """Whether the process that :func:`owner` named ``value`` may still be running.

    True for a process on another host or in another pid namespace, which cannot be checked.
    """
    try:
        host, boot, namespace, pid, started = value.split(".")
        number = int(pid)
    except ValueError:
        return False  # not in the current form
    here = _place()
    if host != here[0]:
        return True
    if boot != here[1]:
        return False
    if namespace != here[2]:
        return True
    return start_time(number) == started


def of_this_boot(value: str) -> bool:
    """Whether pids recorded with ``value`` are valid on this host, boot and pid namespace."""
    return tuple(value.split(".")[:3]) == _place()


def start_time(pid: int) -> str | None:
    """Start time of a live process in clock ticks since boot; ``None`` if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:  # no such process, or not Linux
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def _place() -> tuple[str, str, str]:
    """Digests of this host, its boot, and the pid namespace."""
    host = f"{platform.node()}\n{_read(_MACHINE_ID)}"
    return _short(host), _short(_read(_BOOT_ID)), _short(_read(_NAMESPACE))


def _read(path: Path) -> str:
    try:
        return str(path.readlink()) if path.is_symlink() else path.read_text()
    except OSError:  # not Linux, or no such file
        return ""


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
