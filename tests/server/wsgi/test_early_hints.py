"""``environ["wsgi.early_hints"]``: a 103 before the answer (RFC 8297)."""

from __future__ import annotations

from tests.server.wsgi.conftest import Apps, Gate

LINKS = [("Link", "</a.css>; rel=preload"), ("Link", "</b.js>; rel=preload")]


def test_early_hints_come_before_the_answer_is_made(either: Apps, gate: Gate) -> None:
    with either.send("wait:hints", query=str(gate.path)) as client:
        head = client.head()
        assert (head.status, head.reason, head.fields) == (103, "Early Hints", LINKS[:1])
        gate.open()
        assert client.response().content == b"final"


def test_early_hints_of_several_fields(either: Apps) -> None:
    response = either.ask("hints")
    assert [interim.fields for interim in response.interim] == [LINKS]
    assert response.content == b"final"


def test_early_hints_are_not_for_http_1_0(either: Apps) -> None:
    response = either.ask("hints", minor=0)
    assert (response.interim, response.content) == ([], b"final")


def test_early_hints_after_the_head_are_dropped(either: Apps) -> None:
    assert either.ask("hints:late").content == b"some content"


def test_early_hints_are_checked_like_headers(either: Apps) -> None:
    response = either.ask("hints:bad")
    assert (response.status, response.interim) == (500, [])
    assert response.get("X-Injected") is None
