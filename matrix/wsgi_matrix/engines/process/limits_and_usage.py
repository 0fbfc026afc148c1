"""What can be read of a server process, such as its limits and memory, and what cannot."""

from __future__ import annotations

import re
from pathlib import Path

from wsgi_matrix.engines import proc_limits, zombies
from wsgi_matrix.model.axes import Limits
from wsgi_matrix.model.results import Observed

NO_CGROUP = "a process has no cgroup of its own"
NO_UID = "only root can give a cell a uid of its own, and RLIMIT_NPROC counts per uid"
NO_IMAGE = "a process has no image to compare its root with"


def limits(pid: int, requested: Limits, *, own_uid: bool) -> Observed:
    """The limits of ``pid``, and why a ``requested`` limit was not set.

    ``own_uid``: whether it has its own user. Raises ``OSError`` if there is no such process.
    """
    values = proc_limits.parse(Path(f"/proc/{pid}/limits").read_text())
    why_not = {}
    if requested.memory is not None:
        why_not["memory"] = NO_CGROUP
    if not own_uid:
        values["nproc"] = None
        why_not["nproc"] = NO_UID
    return Observed(nofile=values.get("nofile"), nproc=values.get("nproc"), why_not=why_not)


def memory(session: int) -> int | None:
    """Octets of anonymous memory of the processes of ``session``; ``None`` if there are none.

    Pages shared by several processes count once.
    """
    return sum(_anonymous(pid) for pid in zombies.members(session)) or None


def _anonymous(pid: int) -> int:
    """The proportional share of anonymous memory of a process, in octets (proc(5))."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0  # it ended meanwhile
    found = re.search(r"^Pss_Anon:\s+([0-9]+) kB$", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
