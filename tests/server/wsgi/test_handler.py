"""``Call`` with an output that is kept: what reaches it, when, and what it says afterwards."""

from __future__ import annotations

import contextlib
import gc
import io
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from onegate.http1 import Head
from onegate.wsgi import Call, ClientDisconnected, FileWrapper, make_call

from tests.server.wsgi.conftest import Recorder

PLAIN = [("Content-Type", "text/plain")]


class Gone(Recorder):
    """A client that is gone after ``sends`` calls."""

    def __init__(self, sends: int) -> None:
        super().__init__()
        self._sends = sends

    def send(self, octets: bytes) -> None:
        if len(self.sent) >= self._sends:
            raise ClientDisconnected
        super().send(octets)

    def send_file(self, descriptor: int, position: int, count: int) -> None:
        raise ClientDisconnected


def run(
    app: Any, out: Recorder, method: str = "GET", minor: int = 1, close: bool = False
) -> Call[Recorder]:
    """Let ``app`` answer a request; the call, when all is over."""
    head = Head()
    head.method, head.target, head.minor, head.close = method, "/", minor, close
    head.fields = {}
    call = make_call(out, head, {"wsgi.file_wrapper": FileWrapper})
    call.run(app)
    return call


def answers(*blocks: bytes, headers: list[tuple[str, str]] = PLAIN, kind: Any = list) -> Any:
    """An app that gives ``blocks``."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", list(headers))
        return kind(blocks)

    return app


def closing(noted: list[str], *blocks: bytes) -> Any:
    """An app whose iterable notes that it was asked and closed."""

    class Blocks:
        def __iter__(self) -> Iterator[bytes]:
            for block in blocks:
                noted.append(block.decode())
                yield block

        def close(self) -> None:
            noted.append("close")

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", list(PLAIN))
        return Blocks()

    return app


@pytest.mark.parametrize("kind", [list, tuple])
@pytest.mark.parametrize("blocks", [(), (b"a",), (b"a", b"b", b"c")])
def test_blocks_that_exist_already_go_out_at_once(
    recorder: Recorder, kind: Any, blocks: tuple[bytes, ...]
) -> None:
    call = run(answers(*blocks, kind=kind), recorder)
    assert len(recorder.sent) == 1
    assert (call.status, call.close, call.cut) == (200, False, False)


def test_blocks_of_other_iterables_go_out_one_by_one(recorder: Recorder) -> None:
    run(answers(b"a", b"b", kind=iter), recorder)
    assert [octets[-6:] for octets in recorder.sent] == [b"1\r\na\r\n", b"1\r\nb\r\n", b"0\r\n\r\n"]


@pytest.mark.parametrize("close", [False, True])
def test_the_requests_wish_to_close_is_kept(recorder: Recorder, close: bool) -> None:
    call = run(answers(b"a"), recorder, close=close)
    assert call.close is close
    assert (b"Connection: close\r\n" in recorder.octets) is close


@pytest.mark.parametrize("sends", [0, 1])
def test_W57_close_called_once_when_the_client_is_gone(sends: int) -> None:
    noted: list[str] = []
    call = run(closing(noted, b"a", b"b", b"c"), Gone(sends))
    assert noted == [*["a", "b"][: sends + 1], "close"]
    assert (call.close, call.cut) == (True, False)


def test_W57_close_called_once_when_the_client_of_a_file_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    file = path.open("rb")

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", list(PLAIN))
        return environ["wsgi.file_wrapper"](file)

    assert run(app, Gone(1)).close
    assert file.closed


def test_an_error_that_nobody_is_left_to_hear() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Any:
        raise RuntimeError

    call = run(app, Gone(0))
    assert (call.status, call.close) == (500, True)


def test_W67_an_error_after_the_head_cuts(recorder: Recorder) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", list(PLAIN))
        yield b"a"
        raise RuntimeError

    call = run(app, recorder)
    assert (call.status, call.close, call.cut) == (200, True, True)
    assert recorder.octets.endswith(b"1\r\na\r\n")


def test_W65_nothing_of_a_list_was_sent_when_a_block_is_no_bytes(recorder: Recorder) -> None:
    call = run(answers(b"a", "b", b"c"), recorder)  # type: ignore[arg-type]
    assert (call.status, call.close, call.cut) == (500, False, False)
    assert recorder.octets.startswith(b"HTTP/1.1 500 ")


@pytest.mark.parametrize("close", [False, True])
def test_W65_what_the_lost_head_would_have_closed_stays_as_it_was_asked(
    recorder: Recorder, close: bool
) -> None:
    """For HTTP/1.0 the end of a list without a length is the connection's, that of a 500 is not."""
    app = answers(b"a", "b")  # type: ignore[arg-type]
    call = run(app, recorder, minor=0, close=close)
    assert (call.status, call.close, call.cut) == (500, close, False)


def test_W62_write_beyond_the_length_sends_nothing(recorder: Recorder) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Any:
        write = start_response("200 OK", [("Content-Length", "1")])
        for block in (b"a", b"b", b""):
            write(block)
        return []

    call = run(app, recorder)
    assert recorder.octets.endswith(b"\r\n\r\na")
    assert not call.cut


@pytest.mark.parametrize(("method", "status"), [("HEAD", "200 OK"), ("GET", "304 Not Modified")])
def test_W57_an_answer_without_content_is_not_iterated_further(
    recorder: Recorder, method: str, status: str
) -> None:
    """The first block tells that the head is final; the others would be made for nobody."""
    noted: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        iterable = closing(noted, b"a", b"b")(environ, start_response)
        start_response(status, list(PLAIN), (ValueError, ValueError(), None))
        return iterable

    run(app, recorder, method=method)
    assert noted == ["a", "close"]


def test_W55_no_reference_to_exc_info_that_was_raised(recorder: Recorder) -> None:
    """Nor a cycle through the traceback: it is gone without the garbage collector's help."""

    class LoudError(Exception):
        pass

    last: list[weakref.ref[LoudError]] = []

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", list(PLAIN))
        yield b"a"
        try:
            raise LoudError
        except LoudError as error:
            last.append(weakref.ref(error))
            with contextlib.suppress(LoudError):
                start_response("500 Late", list(PLAIN), sys.exc_info())

    gc.collect()
    gc.disable()
    try:
        run(app, recorder)
        assert last[0]() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_file_goes_out_as_a_range_of_its_descriptor(
    recorder: Recorder, tmp_path: Path, method: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "4")])
        file = path.open("rb")
        file.seek(3)
        file.read = None  # type: ignore[method-assign]  # to read it would be an error
        return environ["wsgi.file_wrapper"](file)

    call = run(app, recorder, method=method)
    assert recorder.sent[1:] == ([b"3456"] if method == "GET" else [])
    assert (call.status, call.cut) == (200, False)


def test_a_wrapped_object_without_descriptor_is_read(recorder: Recorder) -> None:
    run(answers(kind=lambda _: FileWrapper(io.BytesIO(b"abc"), 2)), recorder)
    assert b"2\r\nab\r\n1\r\nc\r\n" in b"".join(recorder.sent)


@pytest.mark.parametrize("blocks", [(b"abc",), (b"ab", b"c")])
def test_what_the_access_log_asks_for(recorder: Recorder, blocks: tuple[bytes, ...]) -> None:
    call = run(answers(*blocks, headers=[("X-A", "b")]), recorder)
    assert (call.status, call.octets, call.fields) == (200, 3, "X-A: b\r\n")


def test_what_the_access_log_asks_for_of_an_error(recorder: Recorder) -> None:
    call = run(lambda environ, start_response: [b"abc"], recorder)
    content = recorder.octets.partition(b"\r\n\r\n")[2]
    assert (call.status, call.octets, call.fields) == (500, len(content), "")


class Full(Recorder):
    """A client whose response can be kept no longer, and why."""

    def send(self, octets: bytes) -> None:
        raise ClientDisconnected("no room")


def test_a_response_that_is_cut_is_logged_with_its_request_and_the_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    call = run(answers(b"a", b"b", kind=iter), Full())
    assert (call.cut, call.close) == (True, True)
    assert caplog.messages == ["response to GET '/' truncated: no room"]


class Left(Recorder):
    """A client that leaves before the end is sent."""

    def send_last(self, octets: bytes, close: bool) -> None:
        raise ClientDisconnected


def test_a_client_that_leaves_before_the_500_ends_the_connection() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Any:
        raise LookupError

    call = run(app, Left())
    assert (call.status, call.close) == (500, True)
