"""HAR files: to whom, and what no server of WSGI answers."""

from __future__ import annotations

import pytest
from wsgi_matrix.model.http_session import Capture
from wsgi_matrix.traffic import har


def entry(url, method="GET", headers=(), status=200, mime="text/html", **more):
    fields = [{"name": n, "value": v} for n, v in headers]
    return {
        "request": {"method": method, "url": url, "headers": fields},
        "response": {"status": status, "headers": [], "content": {"mimeType": mime}},
        **more,
    }


def read(*entries, host=""):
    return har.read({"log": {"entries": list(entries)}}, "a.har", host=host)


def test_the_host_is_the_one_that_most_requests_go_to():
    entries = [
        entry("http://shop.example/", status=301),
        *(entry(f"https://www.shop.example/{n}") for n in range(3)),
        entry("https://WWW.shop.example:443/last"),
        entry("https://ads.example/"),
    ]
    session = read(*entries)
    assert [ask.target for ask in session.asks] == ["/0", "/1", "/2", "/last"]
    assert {ask.host for ask in session.asks} == {"www.shop.example"}
    assert session.notes == (
        "a.har: 1 not sent, to shop.example (--host shop.example sends these)",
        "a.har: 1 not sent, to ads.example (--host ads.example sends these)",
    )
    assert [ask.target for ask in read(*entries, host="Shop.example:80").asks] == ["/"]
    assert len(read(*entries, host="other.example").asks) == 4


def test_files_from_elsewhere_do_not_make_a_host():
    session = read(
        entry("https://shop.example/"),
        *(entry(f"https://cdn.example/{n}.png", mime="image/png") for n in range(3)),
        *(entry(f"https://cdn.example/{n}.js", mime="text/javascript") for n in range(3)),
        entry("https://ads.example/beacon", "POST", mime="image/gif"),
        entry("https://shop.example/api", mime="application/json"),
    )
    assert {ask.host for ask in session.asks} == {"shop.example"}
    calls = [entry(f"http://{host}/", mime="application/json") for host in "abb"]
    assert {ask.host for ask in read(*calls).asks} == {"b"}


def test_content_that_was_cut_is_no_fault_of_the_recording():
    cut = entry("http://a/")
    cut["response"]["content"] = {"text": "abcde", "encoding": "base64"}
    bad = entry("http://a/up", "POST")
    bad["request"]["postData"] = {"text": "abcde", "encoding": "base64"}
    capture = Capture(name="x", kind="regex", where="(nothing)")
    for captures in ((), (capture,)):
        session = har.read({"log": {"entries": [cut, bad]}}, "a.har", captures)
        assert [ask.target for ask in session.asks] == ["/"]
        [note] = session.notes
        assert note.startswith("a.har: 1 not sent, log.entries[1] is not a request: Invalid base64")


def test_a_proxy_is_no_host():
    session = read(
        entry("http://localhost:8000/", "CONNECT"),
        entry("http://shop.example:80/a"),
        entry("http://shop.example/b"),
        entry("data:image/png;base64,AAAA"),
    )
    assert [ask.target for ask in session.asks] == ["/a", "/b"]
    assert {ask.host for ask in session.asks} == {"shop.example"}
    assert session.notes == (
        "a.har: 1 not sent, CONNECT, which is for a proxy",
        "a.har: 1 not sent, to data:",
    )


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (entry("http://a/ws", headers=[("Upgrade", "websocket")]), "the handshake of a WebSocket"),
        (entry("http://a/ws", status=101), "the handshake of a WebSocket"),
        (entry("http://a/ws", _resourceType="websocket"), "the handshake of a WebSocket"),
        (entry("http://a/s", mime="text/event-stream; charset=utf-8"), "an event stream"),
        (entry("http://a/s", headers=[("Accept", "text/event-stream")]), "an event stream"),
        (entry("http://a/", headers=[("X Y", "z")]), "log.entries[1] is not a request: 'X Y'"),
        (entry("http://a/", headers=[("X", "a\nb")]), "log.entries[1] is not a request: 'a\\nb'"),
        (
            entry("http://a/", "GE T"),
            "log.entries[1] is not a request: 'GE T' is not a valid method",
        ),
        (entry("http://a:x/"), "http://a:x/: "),
    ],
)
def test_what_is_not_sent_is_told(found, reason):
    session = read(entry("http://a/first"), found)
    assert [ask.target for ask in session.asks] == ["/first"]
    [note] = session.notes
    assert note.startswith(f"a.har: 1 not sent, {reason}")


def test_many_hosts_to_which_nothing_is_sent_are_few_notes():
    others = [entry(f"http://ad{n}.example/", mime="image/png") for n in range(40)]
    notes = read(entry("http://a/", mime="text/html"), *others, others[9], entry("data:x")).notes
    assert len(notes) == 6
    assert notes[0] == ("a.har: 2 not sent, to ad9.example (--host ad9.example sends these)")
    assert notes[-1] == "a.har: 36 not sent, to other hosts or for other reasons (36)"


def test_only_what_is_not_sent_says_so():
    with pytest.raises(ValueError, match=r"no HTTP request that can be sent; 1 the handshake"):
        read(entry("http://a/ws", status=101))


def test_the_recorded_status_and_a_user_in_the_url_are_kept():
    [one, other] = read(
        entry("http://ann:s@a/{{x}}?q={y}", status=403), entry("http://a/", status=0)
    ).asks
    assert (one.recorded, other.recorded) == (403, None)
    assert one.host == "a"
    assert one.target == "/%7B%7Bx%7D%7D?q=%7By%7D"
    assert one.fields == (("Authorization", "Basic YW5uOnM="),)
