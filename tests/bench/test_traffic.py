"""The requests of which no two are alike: what their page says of them holds."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from bench import check, load, traffic
from bench.catalogue import APP, SCENARIO
from bench.process import ROOT
from bench.scripts import ceiling
from tests.bench.helpers import check_calls

DIGEST = "f6e656d2f0cb0e4ff760a45a67a9a6c9fe6fe9707b414afaedd1eb31450c5d07"
"""Of all requests: figures of different days and Pythons are about the same octets."""


@pytest.fixture(scope="module")
def requests() -> list[traffic.Request]:
    """All of them."""
    return traffic.Traffic().requests()


def test_a_seed_gives_the_same_requests_on_every_python(requests: list[traffic.Request]) -> None:
    digest = sha256(b"".join(each.octets() for each in requests)).hexdigest()
    assert digest == DIGEST
    assert traffic.Traffic().requests(50) == requests[:50]
    assert traffic.Traffic(seed=17).requests(50) != requests[:50]


def test_no_two_requests_are_alike_and_no_two_responses(requests: list[traffic.Request]) -> None:
    assert len(requests) == traffic.COUNT
    for close in (False, True):
        assert len({each.octets(close=close) for each in requests}) == traffic.COUNT
    assert len({each.get("X-Request-ID") for each in requests}) == traffic.COUNT
    assert len({each.text() for each in requests}) == traffic.COUNT
    assert len({len(each.text()) for each in requests}) > traffic.PADDING


@pytest.mark.parametrize("close", [False, True])
def test_sizes_are_within_what_is_said(requests: list[traffic.Request], close: bool) -> None:
    octets = [each.octets(close=close) for each in requests]
    sizes = [len(each) for each in octets]
    fields = [each.partition(b"\r\n\r\n")[0].count(b"\r\n") for each in octets]
    assert (min(sizes) >= 400, max(sizes) <= 1100) == (True, True)
    assert (min(fields) >= 10, max(fields) <= 22) == (True, True)
    # And not all in one corner of that.
    assert max(sizes) - min(sizes) > 600
    assert max(fields) - min(fields) == 11


def test_the_shares_are_those_of_the_page(requests: list[traffic.Request]) -> None:
    assert sum(traffic.SHARES.values()) == 100
    counts = Counter(each.kind for each in requests)
    for kind, share in traffic.SHARES.items():
        assert abs(counts[kind] / len(requests) * 100 - share) < 1
        assert re.search(rf"^{kind} +{share} %", traffic.__doc__ or "", re.MULTILINE)


CORE = max(os.sched_getaffinity(0))
LINE = re.compile(rb"(?:GET|POST) /[!-~]* HTTP/1\.1")
FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [!-~](?:[ !-~]*[!-~])?")
"""RFC 9112, 3, and RFC 9110, 5: no obsolete form, and no white space to be left off."""


def test_each_has_lines_of_the_strict_grammar(requests: list[traffic.Request]) -> None:
    for each in requests:
        head, blank, content = each.octets(close=True).partition(b"\r\n\r\n")
        line, *fields = head.split(b"\r\n")
        assert blank
        assert content == each.content
        assert LINE.fullmatch(line)
        assert all(FIELD.fullmatch(field) for field in fields)


def test_each_is_a_valid_request(requests: list[traffic.Request]) -> None:
    h11 = pytest.importorskip("h11")
    for each in requests:
        for close in (False, True):
            server = h11.Connection(h11.SERVER)
            server.receive_data(each.octets(close=close))
            head = server.next_event()
            assert isinstance(head, h11.Request)
            assert head.method == each.method.encode()
            content = b""
            while isinstance(event := server.next_event(), h11.Data):
                content += bytes(event.data)
            assert isinstance(event, h11.EndOfMessage)
            assert content == each.content
            assert server.trailing_data == (b"", False)
            names = [name for name, _ in head.headers]
            assert len(names) == len(set(names)), "a field that is repeated is no test of speed"
            assert (b"connection", b"close") in list(head.headers) or not close


def test_both_sorts_of_client_are_behind_a_proxy(requests: list[traffic.Request]) -> None:
    for each in requests:
        names = {name for name, _ in each.fields}
        assert {"Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP"} <= names
        if each.kind in traffic.BROWSERS:
            assert {"Cookie", "User-Agent", "Referer", "Sec-Fetch-Site"} <= names
        else:
            assert {"Authorization", "traceparent"} <= names
            assert "Cookie" not in names
        assert bool(each.content) == (each.method == "POST") == ("Content-Length" in names)


def test_a_visitor_sends_the_cookie_of_the_latest_response(
    requests: list[traffic.Request],
) -> None:
    seen: dict[str, str] = {}
    again = 0
    for each in requests:
        cookies = dict(pair.split("=", 1) for pair in each.get("Cookie").split("; ") if pair)
        if "session" in cookies:
            again += cookies["session"] in seen
            assert cookies["seen"] == seen.get(cookies["session"], cookies["seen"])
            seen[cookies["session"]] = each.cookie
    assert again > traffic.COUNT / 3


def test_what_is_written_is_read(requests: list[traffic.Request], tmp_path: Path) -> None:
    traffic.write(requests[:100], tmp_path)
    for close in (False, True):
        found = traffic.read(traffic.file(tmp_path, close=close))
        assert found == [each.octets(close=close) for each in requests[:100]]


def test_the_environ_without_a_server_is_that_of_one(requests: list[traffic.Request]) -> None:
    for each in requests[:200]:
        environ, content = ceiling.environ_of(each.octets())
        assert content == each.content
        assert environ["PATH_INFO"] == each.path
        assert check.environ_of(each).items() <= environ.items()


def test_the_app_without_a_framework_responds_with_the_text_of_the_request() -> None:
    assert check_calls("raw") == ""


def test_a_response_that_is_not_the_text_is_told(tmp_path: Path) -> None:
    source = (ROOT / APP["raw"].folder / "app.py").read_text()
    (tmp_path / "app.py").write_text(source.replace("% 1500", "% 1400"))
    assert "AssertionError" in check_calls(str(tmp_path))


class Recorder:
    """A server that keeps what it got, and responds to each request of whole octets."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.got: list[bytes] = []
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        """Serve each connection in a thread."""
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        """One read is one request here: they are shorter than a segment, and not pipelined."""
        with client, contextlib.suppress(OSError):  # wrk resets what is open when its time is over
            while request := client.recv(65536):
                with self.lock:
                    self.got.append(request)
                close = b"Connection: close\r\n" if b"Connection: close" in request else b""
                client.sendall(b"HTTP/1.1 200 OK\r\n%bContent-Length: 2\r\n\r\nok" % close)
                if close:
                    return


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """A server that keeps what it got."""
    found = Recorder()
    yield found
    found.listener.close()


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")
@pytest.mark.parametrize("name", ["traffic", "traffic-close"])
def test_wrk_sends_one_after_the_other(
    name: str, requests: list[traffic.Request], recorder: Recorder, tmp_path: Path
) -> None:
    traffic.write(requests, tmp_path)
    scenario = SCENARIO[name]
    found = load.wrk(scenario, recorder.port, state=tmp_path, core=CORE, connections=1, seconds=1)
    assert found.problems == {}
    assert found.busy > 0
    got = recorder.got[:2000]
    sent = [each.octets(close=scenario.close) for each in requests]
    # wrk takes the first one for itself, to see how many requests it holds.
    assert got == (sent * 2)[1 : len(got) + 1]
    assert len(set(got)) == len(got) > 10


def test_a_fixed_rate_sends_one_after_the_other(
    requests: list[traffic.Request], recorder: Recorder, tmp_path: Path
) -> None:
    traffic.write(requests[:40], tmp_path)
    found = load.fixed_rate(
        SCENARIO["rate"],
        recorder.port,
        state=tmp_path,
        core=CORE,
        connections=1,
        seconds=1,
        rate=50.0,
    )
    assert found.problems == {}
    sent = [each.octets() for each in requests[:40]]
    assert recorder.got == (sent * 3)[: len(recorder.got)]
    assert len(recorder.got) > 20
