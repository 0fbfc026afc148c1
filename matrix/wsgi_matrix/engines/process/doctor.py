"""Which limits the process engine enforces on this host, and what it cannot do at all."""

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
from wsgi_matrix.engines.process.limits_and_usage import NO_CGROUP, NO_IMAGE, NO_UID

DEADLINE = 60.0
NO_NAMESPACE = "processes share this host's network and process table"


def findings(uid: int | None) -> Iterator[Finding]:
    """As :meth:`wsgi_matrix.engines.docker.doctor.DockerDoctor.findings`, for processes.

    ``uid``: a user that no other process has; ``None``: none is available.
    """
    report = _run("nofile", resource.RLIMIT_NOFILE, NOFILE)
    holds = report["soft"] == report["hard"] == NOFILE and report["refused"] == "EMFILE"
    observed = "{soft}/{hard}; {opened} opened, then {refused}".format_map(report)
    yield Finding("nofile", f"{NOFILE}, soft and hard", observed, holds)
    requested = f"{NPROC} for a dedicated user"
    if uid is not None:
        report = _run("processes", resource.RLIMIT_NPROC, NPROC, uid=uid)
        holds = report["soft"] == report["hard"] == NPROC and report["refused"] == "EAGAIN"
        observed = "{soft}/{hard}; {forked} forked, then {refused}".format_map(report)
        yield Finding("nproc", requested, observed, holds)
    else:
        yield Finding("nproc", requested, NO_UID, False)
    for what, why in (
        ("pids", NO_CGROUP),
        ("memory", NO_CGROUP),
        ("read-only", NO_IMAGE),
        ("no-new-privileges", "set for the server, but without a container's other isolation"),
        ("init", NO_NAMESPACE),
        ("shared network", NO_NAMESPACE),
    ):
        yield Finding(what, "containers only", why, False)


def _run(name: str, limit: int, value: int, uid: int | None = None) -> dict[str, object]:
    """Test ``name`` in a child process under one limit, set as by the launcher."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", doctor_script.__file__, name],
        preexec_fn=partial(_limited, limit, value, uid),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    report: dict[str, object] = json.loads(done.stdout)
    return report


def _limited(limit: int, value: int, uid: int | None) -> None:
    resource.setrlimit(limit, (value, value))
    if uid is not None:
        become(uid)
