"""What the output of a probe says of a cell, whichever engine ran it."""

from __future__ import annotations

from collections.abc import Callable

from wsgi_matrix.errors import CellError
from wsgi_matrix.probe import protocol
from wsgi_matrix.probe.protocol import Job, Report


def understood(
    output: bytes, job: Job, said: str, log: Callable[[], str], wrote: protocol.Wrote
) -> Report:
    """The report in ``output``, with what the server ``wrote`` on its log meanwhile.

    Raises :class:`CellError` for a probe that did not come to its end, with the last that it
    ``said``, and with the server's ``log``.
    """
    try:
        return protocol.read(output, job, wrote)
    except ValueError as problem:
        raise CellError(f"the probe failed: {problem}: {said}", log()) from problem


def why_unready(report: Report, port: int, job: Job) -> str:
    """That the port did not open, and what the probe got instead; empty where it did."""
    if not report.unready:
        return ""
    return f"port {port} did not open within {job.deadline:g} s ({report.unready})"


def heard(report: Report) -> bool:
    """Whether the server has answered anything at all."""
    return (
        bool(report.burst.answers)
        or any(each.response for exchanges in report.exchanges for each in exchanges)
        or any(
            event.what == "received"
            for transcript in report.transcripts.values()
            for event in transcript.events
        )
    )
