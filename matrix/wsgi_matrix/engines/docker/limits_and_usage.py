"""Reads limits, memory and zombies of a running container.

Limits and zombies come from the kernel, read inside the container, not from the engine.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import docker
from docker.errors import APIError

from wsgi_matrix.engines import proc_limits
from wsgi_matrix.engines import zombies as zombies_module
from wsgi_matrix.engines.docker.containers import GONE
from wsgi_matrix.model.results import Observed

FILES = (
    "/proc/1/limits",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",  # cgroup v1
    "/sys/fs/cgroup/memory.max",  # cgroup v2
)

TRIES = 3
UNLIMITED = 2**60
"""cgroup v1 writes "no limit" as the largest multiple of a page."""


def limits(client: docker.APIClient, container: str, uid: int) -> Observed:
    """The limits of the first process in ``container``.

    Read as ``uid``, which should not be the server's, because RLIMIT_NPROC counts per uid.
    Raises the SDK's errors if nothing can be run there, ``ValueError`` for unexpected output.
    """
    return parse_limits(_inside(client, container, ["cat", *FILES], uid).decode("ascii", "replace"))


def parse_limits(text: str) -> Observed:
    """Parse the concatenated files of ``FILES``, of which only one cgroup file exists.

    A limit that cannot have been requested is ``None``. Raises ``ValueError`` if one is missing.
    """
    values = proc_limits.parse(text)
    for name, title in proc_limits.TITLES.items():
        if name not in values:
            raise ValueError(f"no {title!r} in {text[:200]!r}")
    last = text.rstrip().rpartition("\n")[2].strip()
    if not last.isdigit() and last != "max":
        raise ValueError(f"no memory limit of the cgroup in {text[-200:]!r}")
    memory = int(last) if last.isdigit() and int(last) < UNLIMITED else None
    return Observed(nofile=values["nofile"], nproc=values["nproc"], memory=memory)


def memory(client: docker.APIClient, container: str) -> int | None:
    """Octets of anonymous memory, as read by the engine from the cgroup; ``None``: it has exited,
    or this engine cannot measure it."""
    try:
        told = client.stats(container, stream=False, one_shot=True)
    except APIError as error:
        if error.status_code not in GONE:
            raise
        return None
    values = told.get("memory_stats", {}).get("stats", {})
    # The name depends on the cgroup version.
    found = values.get("anon", values.get("total_rss"))
    return int(found) or None if found is not None else None


def zombies(client: docker.APIClient, container: str, uid: int) -> int:
    """Number of zombies, as seen by ``uid``, which is not the server's user.

    Raises ``APIError`` if nothing can be run there, ``ValueError`` for unexpected output.
    """
    code = Path(zombies_module.__file__).read_text()
    return len(json.loads(_inside(client, container, ["python3", "-I", "-S", "-c", code], uid)))


def _inside(client: docker.APIClient, container: str, command: Sequence[str], uid: int) -> bytes:
    """The stdout of ``command``, run in ``container`` next to its first process.

    The command must always write something: a busy engine sometimes loses the output, and then it
    is run again.
    """
    said = b""
    for _ in range(TRIES):
        made = client.exec_create(container, list(command), user=f"{uid}:{uid}", stderr=False)
        said = bytes(client.exec_start(made["Id"]))
        if said:
            break
    return said
