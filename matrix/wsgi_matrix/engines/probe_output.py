"""Interprets the output of a probe, for all engines."""

from __future__ import annotations

from collections.abc import Callable

from wsgi_matrix.errors import CellError
from wsgi_matrix.probe import protocol
from wsgi_matrix.probe.protocol import Job, Report


def read_report(
    output: bytes, job: Job, said: str, log: Callable[[], str], wrote: protocol.Wrote
) -> Report:
    """The report in ``output``, with what the server ``wrote`` to its log meanwhile.

    Raises :class:`CellError` for a probe whose output is incomplete, with the last that it
    ``said``, and with the server's ``log``.
    """
    try:
        return protocol.read(output, job, wrote)
    except ValueError as problem:
        raise CellError(f"the probe failed: {problem}: {said}", log()) from problem


def why_unready(report: Report, port: int, job: Job) -> str:
    """An error if the port did not open, with what the probe got instead; empty if it did."""
    if not report.unready:
        return ""
    return f"port {port} did not open within {job.deadline:g} s ({report.unready})"


def received_response(report: Report) -> bool:
    """Whether the server has sent any octets at all."""
    return (
        bool(report.burst.responses)
        or any(each.response for exchanges in report.exchanges for each in exchanges)
        or any(
            event.what == "received"
            for transcript in report.transcripts.values()
            for event in transcript.events
        )
    )
