"""Resource limits, and what follows from them.

The number of descriptors decides how many connections a worker may hold at once. That number is
never exceeded on purpose: further clients wait in the kernel's queue instead of being refused.
"""

from __future__ import annotations

import os
import resource
import sys

from onegate._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from onegate.config.settings import Settings


MAX_RAISED = 65536
"""The maximum for ``--raise-nofile``. The hard limit may be 2^30, and some libraries loop over
every possible descriptor."""
_OWN_DESCRIPTORS = 12
"""What a worker holds besides connections: standard streams, epoll, pipes, a reserve."""
_CGROUPS = "/sys/fs/cgroup"


class Budget(Record):
    """How many descriptors a worker has, and how many of them may be connections."""

    nofile: int
    connections: int


def budget(open_now: int, most: int) -> Budget:
    """The budget of a worker that holds ``open_now`` descriptors already.

    ``most``: maximum number of connections, however many descriptors there are. An eighth of the
    limit, at least 8 and at most 64, is reserved for the application and for spool files. If the
    limit is too low for that, one connection is left.
    """
    nofile = _soft(resource.RLIMIT_NOFILE)
    reserve = min(64, max(8, nofile // 8))
    connections = min(most, nofile - open_now - reserve)
    return Budget(nofile=nofile, connections=max(1, connections))


def raise_nofile() -> None:
    """Raise the soft limit of descriptors to the hard one, within reason."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_RAISED if hard == resource.RLIM_INFINITY else min(hard, MAX_RAISED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def describe(settings: Settings) -> str:
    """One line for the log: the limits, and what they allow."""
    nofile, nproc = _soft(resource.RLIMIT_NOFILE), _soft(resource.RLIMIT_NPROC)
    each = budget(_OWN_DESCRIPTORS + len(settings.bind), settings.worker_connections).connections
    parts = [
        f"{_plural(settings.workers, 'worker')} with {_plural(settings.threads, 'thread')} and"
        f" {_plural(each, 'connection')} each",
        f"nofile {_number(nofile)}",
        f"nproc {_number(nproc)}",
    ]
    memory = memory_limit()
    parts.append(f"memory {memory >> 20} MiB" if memory else "memory unlimited")
    wanted = 1 + settings.workers * (1 + (settings.threads if settings.threads > 1 else 0))
    if wanted > nproc:
        parts.append(f"nproc {nproc} is too low for the {wanted} configured processes and threads")
    return "; ".join(parts)


def memory_limit() -> int:
    """Octets that the control group of this process may use; 0 if there is no limit."""
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        text = _read(name)
        if text.isdigit() and int(text) < 1 << 60:
            return int(text)
    return 0


def oom_kills() -> int:
    """How many processes of this control group the kernel has killed for memory."""
    for name in ("memory.events", "memory/memory.oom_control"):
        for line in _read(name).splitlines():
            key, _, count = line.partition(" ")
            if key == "oom_kill" and count.isdigit():
                return int(count)
    return 0


def _read(name: str) -> str:
    """A file of this process's control group: of its own directory, or, in a container that sees
    nothing else, of the root."""
    controller, _, file = name.rpartition("/")
    for directory in (_own_group(controller), ""):
        try:
            with open(os.path.join(_CGROUPS, controller, directory, file)) as text:
                return text.read().strip()
        except OSError:
            continue
    return ""


def _own_group(controller: str) -> str:
    """The path in /proc/self/cgroup, ``hierarchy:controllers:path`` (cgroups(7))."""
    try:
        with open("/proc/self/cgroup") as file:
            lines = file.read().splitlines()
    except OSError:
        return ""
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path.lstrip("/")
    return ""


def _soft(which: int) -> int:
    soft = resource.getrlimit(which)[0]
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _number(limit: int) -> str:
    return "unlimited" if limit == sys.maxsize else str(limit)
