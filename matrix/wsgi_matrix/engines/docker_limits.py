"""Limits as they are inside a running container: asked of the kernel, not of the engine."""

from __future__ import annotations

import docker

from wsgi_matrix.model.results import Observed

FILES = (
    "/proc/1/limits",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",  # cgroup v1
    "/sys/fs/cgroup/memory.max",  # cgroup v2
)

UNLIMITED = 2**60
"""cgroup v1 writes "no limit" as the largest multiple of a page."""


def read_limits(client: docker.APIClient, container: str, uid: int) -> Observed:
    """The limits of the first process in ``container``.

    Read as ``uid``, which should be another one than the server's: RLIMIT_NPROC counts per uid.
    Raises the SDK's errors when nothing can be run there, ``ValueError`` for no sensible answer.
    """
    made = client.exec_create(container, ["cat", *FILES], user=f"{uid}:{uid}", stderr=False)
    return parse_limits(client.exec_start(made["Id"]).decode("ascii", "replace"))


def parse_limits(text: str) -> Observed:
    """Understand the files of ``FILES``, one after another, of which only one cgroup file exists.

    A soft limit that differs from the hard one, and "unlimited", are ``None``: nobody asked for
    that. Raises ``ValueError`` where a limit is missing.
    """
    nofile = _line(text, "Max open files")
    nproc = _line(text, "Max processes")
    last = text.rstrip().rpartition("\n")[2].strip()
    if not last.isdigit() and last != "max":
        raise ValueError(f"no memory limit of the control group in {text[-200:]!r}")
    memory = int(last) if last.isdigit() and int(last) < UNLIMITED else None
    return Observed(nofile=nofile, nproc=nproc, memory=memory)


def _line(text: str, title: str) -> int | None:
    for line in text.splitlines():
        if line.startswith(title):
            soft, hard = line[len(title) :].split()[:2]
            return int(soft) if soft == hard and soft.isdigit() else None
    raise ValueError(f"no {title!r} in {text[:200]!r}")
