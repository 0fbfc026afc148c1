"""What is observed in a running container: its limits, its memory, its zombies.

Limits and zombies are asked of the kernel, from inside, not of the engine.
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

    Read as ``uid``, which should be another one than the server's: RLIMIT_NPROC counts per uid.
    Raises the SDK's errors when nothing can be run there, ``ValueError`` for no sensible answer.
    """
    return parse_limits(_inside(client, container, ["cat", *FILES], uid).decode("ascii", "replace"))


def parse_limits(text: str) -> Observed:
    """Understand the files of ``FILES``, one after another, of which only one cgroup file exists.

    What nobody can have asked for is ``None``. Raises ``ValueError`` where a limit is missing.
    """
    values = proc_limits.parse(text)
    for name, title in proc_limits.TITLES.items():
        if name not in values:
            raise ValueError(f"no {title!r} in {text[:200]!r}")
    last = text.rstrip().rpartition("\n")[2].strip()
    if not last.isdigit() and last != "max":
        raise ValueError(f"no memory limit of the control group in {text[-200:]!r}")
    memory = int(last) if last.isdigit() and int(last) < UNLIMITED else None
    return Observed(nofile=values["nofile"], nproc=values["nproc"], memory=memory)


def memory(client: docker.APIClient, container: str) -> int | None:
    """Octets of anonymous memory, as the engine reads it from the control group; ``None``: it has
    ended, or this engine cannot tell."""
    try:
        told = client.stats(container, stream=False, one_shot=True)
    except APIError as error:
        if error.status_code not in GONE:
            raise
        return None
    values = told.get("memory_stats", {}).get("stats", {})
    # The two versions of control groups have a name each.
    found = values.get("anon", values.get("total_rss"))
    return int(found) or None if found is not None else None


def zombies(client: docker.APIClient, container: str, uid: int) -> int:
    """How many ended processes nobody waits for, as ``uid`` sees it, who is not the server's user.

    Raises ``APIError`` when nothing can be run there, ``ValueError`` for no sensible answer.
    """
    code = Path(zombies_module.__file__).read_text()
    return len(json.loads(_inside(client, container, ["python3", "-I", "-S", "-c", code], uid)))


def _inside(client: docker.APIClient, container: str, command: Sequence[str], uid: int) -> bytes:
    """What ``command`` writes to stdout, run in ``container`` beside its first process.

    It is one that always writes something: a busy engine loses what was said, now and then, and
    then it is asked again.
    """
    said = b""
    for _ in range(TRIES):
        made = client.exec_create(container, list(command), user=f"{uid}:{uid}", stderr=False)
        said = bytes(client.exec_start(made["Id"]))
        if said:
            break
    return said
