"""Checks of the cell itself: its limits, its unchanged image, its exit."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from wsgi_matrix.model.results import Outcome
from wsgi_matrix.suites.case import Case, Evidence, Verdict

NAMES = ("nofile", "nproc", "memory")


def _size(name: str, value: int) -> str:
    """A limit for reports: memory in MiB if that is exact."""
    return f"{value >> 20} MiB" if name == "memory" and value % 2**20 == 0 else str(value)


def judge_limits(evidence: Evidence) -> Verdict:
    """Every requested limit was read back inside the cell as requested.

    A limit that this engine cannot set makes the check a skip with the reason, never a pass.
    """
    held, unset, wrong = [], [], []
    for name in NAMES:
        wanted = getattr(evidence.cell.limits, name)
        got = getattr(evidence.observed, name)
        if wanted is None:
            continue
        if got == wanted:
            held.append(f"{name} {_size(name, got)}")
        elif got is None and name in evidence.observed.why_not:
            unset.append(f"{name} {_size(name, wanted)} not set: {evidence.observed.why_not[name]}")
        else:
            wrong.append(f"{name}: requested {wanted}, observed {got}")
    if wrong:
        return Outcome.ERROR, "; ".join(wrong)
    if unset:
        return Outcome.SKIP, "; ".join(unset + held)
    return Outcome.PASS, ", ".join(held) or "none requested"


def judge_unchanged(evidence: Evidence) -> Verdict:
    """After the run, the root does not differ from the image."""
    stopped = evidence.stopped
    if stopped.changed_unknown:
        return Outcome.SKIP, stopped.changed_unknown
    if stopped.changed:
        return Outcome.FAIL, "changed in the image's root: " + ", ".join(stopped.changed[:10])
    return Outcome.PASS, ""


def judge_reaped(evidence: Evidence) -> Verdict:
    """All children that exited were reaped, after the clients have disconnected."""
    if evidence.zombies is None:
        return Outcome.SKIP, "the server had exited"
    if evidence.exchanges and not any(x.response for e in evidence.exchanges.values() for x in e):
        return Outcome.SKIP, "it never responded, so no child had anything to do"
    if evidence.zombies:
        return Outcome.FAIL, f"{evidence.zombies} processes exited and were never reaped"
    return Outcome.PASS, ""


def judge_clean_exit(evidence: Evidence, *, by_app: bool = False) -> Verdict:
    """After its stop signal, the server exits within the grace period with a clean status.

    ``by_app``: the app sent the signal, so the server may have exited before.
    """
    stopped = evidence.stopped
    signal = evidence.cell.server.stop_signal
    if stopped.oom_killed:
        fault = "killed: the cell was out of memory"
    elif stopped.forced:
        fault = f"still running after {signal} and the grace period; killed"
    elif stopped.early and not by_app:
        fault = f"it exited before {signal}, with exit status {stopped.exit_status}"
    elif stopped.exit_status not in (expected := evidence.cell.server.stop_status):
        wanted = " or ".join(map(str, expected))
        fault = f"exit status {stopped.exit_status}, expected {wanted} after {signal}"
    elif stopped.left:
        fault = f"{stopped.left} processes were still running after the server had exited"
    elif stopped.exit_status:
        return Outcome.PASS, f"exited after {signal} (exit status {stopped.exit_status})"
    else:
        return Outcome.PASS, ""
    return Outcome.FAIL, f"{fault}; last log lines:\n{stopped.log}" if stopped.log else fault


LIMITS = Case(
    id="limits-applied", says="the limits inside the cell are those requested", judge=judge_limits
)
UNCHANGED = Case(id="unchanged", says="the image's root is unchanged", judge=judge_unchanged)
REAPED = Case(id="reaped", says="no child that has exited remains a zombie", judge=judge_reaped)
CLEAN_EXIT = Case(
    id="clean-exit", says="the server exits cleanly after its stop signal", judge=judge_clean_exit
)
ALWAYS = (LIMITS, UNCHANGED, CLEAN_EXIT)
"""The checks of every suite."""
EXIT_BY_APP = replace(CLEAN_EXIT, judge=partial(judge_clean_exit, by_app=True))
"""Instead of :data:`CLEAN_EXIT`, for a suite whose apps send the stop signal."""
