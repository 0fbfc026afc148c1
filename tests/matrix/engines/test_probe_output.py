"""What the output of a probe says of a cell."""

from __future__ import annotations

import pytest
from wsgi_matrix.engines import probe_output
from wsgi_matrix.errors import CellError
from wsgi_matrix.model.wire import NO_BURST, Exchange, Transcript, WireEvent
from wsgi_matrix.probe.protocol import Job, Report

JOB = Job(deadline=2.5)


def test_a_probe_that_was_cut_short_is_no_quiet_one():
    with pytest.raises(CellError, match=r"^the probe failed: .*: its last words$") as caught:
        probe_output.read_report(b"", JOB, "its last words", lambda: "of the server", str)
    assert caught.value.log == "of the server"


def test_a_port_that_did_not_open_is_told_with_the_reason():
    assert probe_output.why_unready(Report(), 81, JOB) == ""
    found = probe_output.why_unready(Report(unready="refused"), 81, JOB)
    assert found == "port 81 did not open within 2.5 s (refused)"


def answers(response):
    return Report(exchanges=[[Exchange(request=b"", response=response, seconds=0.1)]])


def scenario(what):
    event = WireEvent(at=0.1, on="a", what=what)
    return Report(transcripts={"scenario": Transcript(name="scenario", events=(event,))})


@pytest.mark.parametrize(
    ("report", "received"),
    [
        (Report(burst=NO_BURST), False),
        (answers(b""), False),
        (answers(b"HTTP/1.1 500 Oh\r\n\r\n"), True),
        (scenario("closed"), False),
        (scenario("received"), True),
    ],
)
def test_any_answer_is_one(report, received):
    assert probe_output.received_response(report) is received
