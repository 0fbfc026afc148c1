"""What has to hold for the cell itself: its limits, its unchanged image, its end."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from wsgi_matrix.model.results import Outcome
from wsgi_matrix.suites.case import Case, Evidence, Verdict

NAMES = ("nofile", "nproc", "memory")


def _size(name: str, value: int) -> str:
    """A limit for people: memory in MiB where that is exact."""
    return f"{value >> 20} MiB" if name == "memory" and value % 2**20 == 0 else str(value)


def judge_limits(evidence: Evidence) -> Verdict:
    """Every requested limit was read back, from inside, as requested.

    One that this engine cannot set makes the check a skip with the reason, never a pass.
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
    """Nothing in the root differs from the image after the run."""
    stopped = evidence.stopped
    if stopped.changed_unknown:
        return Outcome.SKIP, stopped.changed_unknown
    if stopped.changed:
        return Outcome.FAIL, "changed in the image's root: " + ", ".join(stopped.changed[:10])
    return Outcome.PASS, ""


def judge_reaped(evidence: Evidence) -> Verdict:
    """Every child that ended was waited for, once the clients are gone."""
    if evidence.zombies is None:
        return Outcome.SKIP, "the server had ended"
    if evidence.exchanges and not any(x.response for e in evidence.exchanges.values() for x in e):
        return Outcome.SKIP, "it never answered: no child was asked for anything"
    if evidence.zombies:
        return Outcome.FAIL, f"{evidence.zombies} processes ended and were never waited for"
    return Outcome.PASS, ""


def judge_clean_exit(evidence: Evidence, *, by_app: bool = False) -> Verdict:
    """The server ends by itself, with status 0, within the grace period after its stop signal.

    ``by_app``: the app has given the signal, so that the server may have ended before.
    """
    stopped = evidence.stopped
    signal = evidence.cell.server.stop_signal
    if stopped.oom_killed:
        fault = "killed: the cell was out of memory"
    elif stopped.forced:
        fault = f"still running after {signal} and the grace period; killed"
    elif stopped.early and not by_app:
        fault = f"it had ended before {signal}, with exit status {stopped.exit_status}"
    elif stopped.exit_status not in (expected := evidence.cell.server.stop_status):
        wanted = " or ".join(map(str, expected))
        fault = f"exit status {stopped.exit_status}, expected {wanted} after {signal}"
    elif stopped.left:
        fault = f"{stopped.left} processes still ran after the server had ended"
    elif stopped.exit_status:
        return Outcome.PASS, f"ended by {signal} itself (exit status {stopped.exit_status})"
    else:
        return Outcome.PASS, ""
    return Outcome.FAIL, f"{fault}; last log lines:\n{stopped.log}" if stopped.log else fault


LIMITS = Case(
    id="limits-applied", says="the limits inside are the limits requested", judge=judge_limits
)
UNCHANGED = Case(id="unchanged", says="the image's root is as it was", judge=judge_unchanged)
REAPED = Case(id="reaped", says="no ended child is left a zombie", judge=judge_reaped)
CLEAN_EXIT = Case(
    id="clean-exit", says="the server stops in order when told to", judge=judge_clean_exit
)
ALWAYS = (LIMITS, UNCHANGED, CLEAN_EXIT)
"""What holds whatever is sent."""
EXIT_BY_APP = replace(CLEAN_EXIT, judge=partial(judge_clean_exit, by_app=True))
"""In place of :data:`CLEAN_EXIT` for a suite whose apps give their server its stop signal."""
