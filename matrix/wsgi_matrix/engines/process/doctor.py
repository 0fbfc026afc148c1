"""What the process engine honours here. What it cannot do at all is told as such."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from wsgi_matrix.engines import doctor_script
from wsgi_matrix.engines.doctor import NOFILE, NPROC, Finding
from wsgi_matrix.engines.process.launcher import become
from wsgi_matrix.engines.process.runtime_state import NO_CGROUP, NO_IMAGE, NO_UID

DEADLINE = 60.0
NO_NAMESPACE = "processes share this machine's network and process table"


def findings(uid: int | None) -> Iterator[Finding]:
    """As :meth:`wsgi_matrix.engines.docker.doctor.DockerDoctor.findings`, for processes.

    ``uid``: a user that no other process has; ``None``: there is none to be had.
    """
    told = _run("nofile", resource.RLIMIT_NOFILE, NOFILE)
    holds = told["soft"] == told["hard"] == NOFILE and told["refused"] == "EMFILE"
    seen = f"{told['soft']}/{told['hard']}; {told['opened']} opened, then {told['refused']}"
    yield Finding("nofile", f"{NOFILE}, soft and hard", seen, holds)
    asked = f"{NPROC} for a user of its own"
    if uid is not None:
        told = _run("processes", resource.RLIMIT_NPROC, NPROC, uid=uid)
        holds = told["soft"] == told["hard"] == NPROC and told["refused"] == "EAGAIN"
        seen = f"{told['soft']}/{told['hard']}; {told['forked']} forked, then {told['refused']}"
        yield Finding("nproc", asked, seen, holds)
    else:
        yield Finding("nproc", asked, NO_UID, False)
    for what, why in (
        ("pids", NO_CGROUP),
        ("memory", NO_CGROUP),
        ("read-only", NO_IMAGE),
        ("no-new-privileges", "the server gets it, but nothing else of a container's isolation"),
        ("init", NO_NAMESPACE),
        ("shared network", NO_NAMESPACE),
    ):
        yield Finding(what, "containers only", why, False)


def _run(name: str, limit: int, value: int, uid: int | None = None) -> dict[str, object]:
    """Try ``name`` in a child under one limit, as the launcher sets it."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", doctor_script.__file__, name],
        preexec_fn=partial(_limited, limit, value, uid),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    told: dict[str, object] = json.loads(done.stdout)
    return told


def _limited(limit: int, value: int, uid: int | None) -> None:
    resource.setrlimit(limit, (value, value))
    if uid is not None:
        become(uid)
