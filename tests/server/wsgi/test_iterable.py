"""The iterable that the application returns (PEP 3333, "Buffering and Streaming", and around)."""

from __future__ import annotations

import re

import pytest

from tests.server.apps import binary
from tests.server.wsgi.conftest import Apps, Gate


def test_W49_start_response_sends_nothing(either: Apps, gate: Gate) -> None:
    with either.send("wait:silent", query=str(gate.path)) as client:
        assert client.silent()
        gate.open()
        assert client.response().content == b"late"


def test_W50_start_response_called_while_iterating(either: Apps) -> None:
    response = either.ask("generator")
    assert (response.status, response.content) == (200, b"one two three")


def test_W51_empty_blocks_delay_the_head(apps: Apps) -> None:
    """The head that was replaced after the first empty block is the one that is sent."""
    with apps.send("empty_blocks") as client:
        head = client.head()
        assert (head.status, head.reason, head.get("X-Head")) == (203, "Later", None)
        assert [client.chunk(), client.chunk(), client.chunk()] == [b"some", b" content", b""]
        assert apps.send("one_block", client=client).response().status == 200


@pytest.mark.parametrize(
    ("app", "method", "status"),
    [
        ("closes", "GET", 200),
        ("closes", "HEAD", 200),
        ("closes:not_modified", "GET", 304),
        ("closes:too_long", "GET", 200),
        ("closes:file", "GET", 200),
        ("closes:file", "HEAD", 200),
    ],
)
def test_W57_close_called_once(apps: Apps, app: str, method: str, status: int) -> None:
    assert apps.ask(app, method=method).status == status
    assert apps.events() == ["close"]


def test_W57_close_called_once_on_http_1_0(apps: Apps) -> None:
    assert apps.ask("closes", minor=0).content == b"some content"
    assert apps.events() == ["close"]


def test_W57_close_called_once_on_error_in_the_middle(either: Apps) -> None:
    either.cut("closes:fails")
    assert either.events() == ["close"]


def test_W57_close_called_once_without_a_head(apps: Apps) -> None:
    assert apps.ask("closes:fails_at_once").status == 500
    assert apps.events() == ["close"]


def test_W57_close_called_once_on_client_disconnect(either: Apps) -> None:
    with either.send("closes:never_ends") as client:
        client.read(1)
        client.reset()
    either.wait_for_event("close")
    assert either.events() == ["begun", "close"]


def test_W57_an_error_in_close_ends_nothing(either: Apps) -> None:
    assert either.ask("raises:in_close").content == b"whole"
    either.server.wait_for_log(r"SystemExit in the response iterable's close\(\)")


def test_W58_no_other_attribute_is_looked_at(apps: Apps) -> None:
    assert apps.ask("sized:Shy").content == b"shy"


@pytest.mark.parametrize("app", ["sized:Broken", "generator"])
def test_W58_a_length_that_does_not_work_is_not_needed(either: Apps, app: str) -> None:
    assert either.ask(app).get("Transfer-Encoding") == "chunked"


def test_W59_every_block_is_sent_before_the_next_is_asked_for(either: Apps, gate: Gate) -> None:
    with either.send("wait", query=str(gate.path)) as client:
        assert client.head().get("Transfer-Encoding") == "chunked"
        assert client.chunk() == b"first"
        gate.open()
        assert [client.chunk(), client.chunk()] == [b"second", b""]


def test_W59_on_http_1_0_too(either: Apps, gate: Gate) -> None:
    with either.send("wait", query=str(gate.path), minor=0) as client:
        client.head()
        assert client.read(5) == b"first"
        gate.open()
        assert client.rest() == b"second"


@pytest.mark.parametrize("minor", [0, 1])
def test_W60_octets_are_untouched(either: Apps, minor: int) -> None:
    assert either.ask("binary", minor=minor).content == binary.CONTENT


@pytest.mark.parametrize(
    ("app", "length"), [("one_block", "9"), ("sized", "5"), ("empty_list", "0")]
)
@pytest.mark.parametrize("minor", [0, 1])
def test_W61_content_length_added_for_one_block(
    apps: Apps, app: str, length: str, minor: int
) -> None:
    response = apps.ask(app, minor=minor)
    assert response.get("Content-Length") == length
    assert len(response.content) == int(length)


def test_W62_never_more_than_content_length(either: Apps) -> None:
    """The connection goes on, and nothing of the surplus is taken for an answer."""
    response = either.ask("lengths:long")
    assert response.content == b"12345"
    assert "asked for in vain" not in either.events()
    either.server.wait_for_log("content exceeds Content-Length: 19 octets dropped")


def test_W62_never_more_by_write(apps: Apps) -> None:
    assert apps.ask("writes:too_much").content == b"12345"


def test_W62_exactly_content_length(either: Apps) -> None:
    assert either.ask("lengths").content == b"12345"


@pytest.mark.parametrize("app", ["short", "short_generator", "none_at_all"])
def test_W63_less_than_content_length_cuts_the_connection(apps: Apps, app: str) -> None:
    octets = apps.cut(f"lengths:{app}")
    assert octets == b"" or octets.startswith(b"HTTP/1.1 200 OK\r\n")
    apps.server.wait_for_log("content is [25] octets shorter than Content-Length")


@pytest.mark.parametrize("app", ["generator", "two_blocks", "tuple_blocks"])
def test_W64_without_length_chunked_for_1_1(either: Apps, app: str) -> None:
    response = either.ask(app)
    assert response.get("Transfer-Encoding") == "chunked"
    assert response.get("Connection") is None


@pytest.mark.parametrize("fields", [(), ("Connection: keep-alive",)])
@pytest.mark.parametrize("app", ["generator", "two_blocks", "tuple_blocks"])
def test_W64_without_length_close_for_1_0(either: Apps, app: str, fields: tuple[str, ...]) -> None:
    response = either.ask(app, *fields, minor=0)
    assert (response.get("Transfer-Encoding"), response.get("Content-Length")) == (None, None)
    assert response.get("Connection") == "close"
    assert response.content in (b"one two three", b"two blocks", b"a tuple")


def test_W64_with_length_a_1_0_client_may_stay(apps: Apps) -> None:
    with apps.send("one_block", "Connection: keep-alive", minor=0) as client:
        assert client.response().get("Connection") == "keep-alive"
        assert apps.send("one_block", client=client).response().status == 200


@pytest.mark.parametrize("app", ["text", "text_second", "array", "nothing", "string"])
def test_W65_a_block_that_is_not_bytes(apps: Apps, app: str) -> None:
    assert apps.ask(f"blocks:{app}").status == 500
    apps.server.wait_for_log(f"TypeError while handling GET '/plain/blocks:{app}")


def test_W65_a_block_that_is_not_bytes_after_the_head(apps: Apps) -> None:
    octets = apps.cut("blocks:text_later")
    assert octets == b"" or octets.endswith(b"\r\n5\r\nbytes\r\n")


@pytest.mark.parametrize("app", ["raises", "raises:after_start", "raises:in_generator"])
@pytest.mark.parametrize("minor", [0, 1])
def test_W66_exception_before_the_head(either: Apps, app: str, minor: int) -> None:
    response = either.ask(app, minor=minor)
    assert (response.status, response.reason) == (500, "Internal Server Error")
    assert response.content == b"500 Internal Server Error\n"
    either.server.wait_for_log("RuntimeError: secret of the traceback")
    either.server.wait_for_log(re.escape(f"RuntimeError while handling GET '/{either.how}/{app}"))


def test_W66_exception_on_head(either: Apps) -> None:
    response = either.ask("raises", method="HEAD")
    assert (response.status, response.content) == (500, b"")


@pytest.mark.parametrize("app", ["after_head", "after_head_with_length", "exit_after_head"])
def test_W67_exception_after_the_head_cuts(either: Apps, app: str) -> None:
    """Never an answer that looks whole: neither the last chunk nor an end in order."""
    octets = either.cut(f"raises:{app}")
    assert b"0\r\n\r\n" not in octets
    assert b"secret" not in octets


def test_W67_exception_after_the_head_cuts_1_0(either: Apps) -> None:
    """Where the end of the connection is the end of the content, only a reset tells."""
    assert b"secret" not in either.cut("raises:after_head", minor=0)


@pytest.mark.parametrize(
    ("app", "name"),
    [
        ("system_exit", "SystemExit"),
        ("interrupt", "KeyboardInterrupt"),
        ("generator_exit", "GeneratorExit"),
    ],
)
def test_W68_no_exception_ends_the_server(either: Apps, app: str, name: str) -> None:
    with either.server.connect() as client:
        assert either.send(f"raises:{app}", client=client).response().status == 500
        assert either.send("one_block", client=client).response().status == 200
    assert either.alive()
    either.server.wait_for_log(f"{name} while handling")


def test_W82_client_disconnect_stops_the_iteration(either: Apps) -> None:
    """Also when the client just closes, in order."""
    with either.send("closes:never_ends") as client:
        client.read(1)
    either.wait_for_event("close")
    assert "Traceback" not in either.server.log.partition("never_ends")[2]


@pytest.mark.parametrize(
    ("app", "method", "length"),
    [
        ("head", "HEAD", "16"),
        ("head_generator", "HEAD", None),
        ("no_content", "GET", None),
        ("no_content_with_length", "GET", None),
        ("not_modified", "GET", "16"),
        ("not_modified_generator", "GET", None),
        ("not_modified_empty", "GET", None),
        ("reset", "GET", "0"),
        ("reset_generator", "GET", "0"),
        ("not_modified", "HEAD", "16"),
    ],
)
def test_no_content_where_none_may_be(
    apps: Apps, app: str, method: str, length: str | None
) -> None:
    """HEAD, 204, 205 and 304: not an octet, whatever the app gives (RFC 9112, 6.3)."""
    response = apps.ask(f"statuses:{app}", method=method)
    assert response.get("Content-Length") == length
    assert response.get("Transfer-Encoding") is None
