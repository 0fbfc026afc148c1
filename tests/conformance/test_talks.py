"""Talks that are had side by side, and which of them are had once more."""

from __future__ import annotations

import time

from wsgi_matrix.cases.steps import answers, end, request, send
from wsgi_matrix.probe import step_to_json
from wsgi_matrix.probe.agent.talk import run_all

from tests.conformance.answered import HEAD_END, OK
from tests.conformance.scripted import FIN, HANG, scripted

ASK = send(request())


def talk(*steps, alone: bool = False) -> dict:
    return {"steps": [step_to_json(step) for step in steps], "alone": alone}


def had(port: int, *talks: dict) -> list[bytes]:
    done = run_all("127.0.0.1", port, list(talks), 2, time.monotonic() + 30)
    return [
        b"".join(data for _, _, what, data in done[number].lines if what == "received")
        for number in range(len(talks))
    ]


def test_what_was_never_answered_is_asked_once_more_by_itself():
    with scripted((HANG,), (HEAD_END, OK)) as port:
        assert had(port, talk(ASK, answers("GET", within=0.2))) == [OK]


def test_what_was_answered_is_not_asked_again_though_its_end_is_awaited_in_vain():
    with scripted((HEAD_END, OK), (FIN,)) as port:
        assert had(port, talk(ASK, answers("GET"), end(within=0.2))) == [OK]


def test_what_has_to_be_alone_comes_behind_what_is_asked_once_more():
    again, last = OK.replace(b"hi", b"ho"), OK.replace(b"hi", b"hu")
    with scripted((HANG,), (HEAD_END, again), (HEAD_END, last)) as port:
        heard = had(
            port,
            talk(ASK, answers("GET"), alone=True),
            talk(ASK, answers("GET", within=0.2)),
        )
    assert heard == [last, again]
