"""``onegate.worker.output_buffer``: what a client has not taken yet, on real sockets."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import resource
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from onegate.worker.output_buffer import FileSegment, OutputBuffer, ResponseCutError

from tests.server.helpers import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Our end, which is blocking as an accepted socket is, and the client's."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    theirs.settimeout(120)
    with ours, theirs:
        yield ours, theirs


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def drain(buffer: OutputBuffer, pair: Pair) -> bytes:
    """Flush ``buffer`` while the client reads; what the client got."""
    ours, theirs = pair
    received = b""
    while buffer:
        try:
            count = buffer.flush(ours)
        except BlockingIOError:
            count = 0
        while count or buffer:
            octets = theirs.recv(65536)
            received += octets
            count -= len(octets)
            if count <= 0:
                break
    return received


def fill(sock: socket.socket) -> int:
    """Fill the kernel's buffer; how many octets that took."""
    count = 0
    while True:
        try:
            count += sock.send(b"x" * 4096, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return count


@pytest.mark.parametrize("spool", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_octets_come_out_in_order(pair: Pair, tmp_path: Path, spool: bool, seed: int) -> None:
    """Memory, disk and files of the application, in any mixture, flushed now and then."""
    dice = random.Random(seed)
    path = tmp_path / "file"
    path.write_bytes(dice.randbytes(50_000))
    before = open_files()
    buffer = OutputBuffer(10_000, str(tmp_path) if spool else None)
    expected = received = b""
    for _ in range(60):
        if dice.random() < 0.3:
            start, count = dice.randrange(40_000), dice.randrange(1, 10_000)
            with path.open("rb") as file:
                segment = FileSegment(file.fileno(), start, count, own=False)
                buffer.append_file(segment)
                buffer.keep(segment)
            expected += path.read_bytes()[start : start + count]
        else:
            octets = dice.randbytes(dice.randrange(1, 8_000))
            if buffer.append(octets):
                received += drain(buffer, pair)
                assert not buffer.append(octets)
            expected += octets
        if dice.random() < 0.2:
            received += drain(buffer, pair)
    received += drain(buffer, pair)
    assert received == expected
    assert not buffer
    buffer.close()
    assert open_files() == before


def test_what_has_no_room_without_a_disk_is_returned() -> None:
    buffer = OutputBuffer(10, None)
    assert not buffer.append(b"x" * 10)
    assert buffer.append(b"yz") == b"yz"
    assert not buffer.error
    buffer.close()


def test_disk_is_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OutputBuffer, "MAX_SPOOLED", 100)
    before = open_files()
    buffer = OutputBuffer(10, str(tmp_path))
    assert not buffer.append(b"x" * 99)
    assert buffer.append(b"y" * 12) == b"y" * 11
    assert buffer.append(b"y" * 11) == b"y" * 11
    assert not buffer.append(b"z" * 10)  # memory has room
    assert open_files() == before + 4
    buffer.close()
    assert open_files() == before


def test_disk_is_given_back_long_before_all_is_sent(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is room again when a quarter of it is sent, however much waits behind that."""
    monkeypatch.setattr(OutputBuffer, "MAX_SPOOLED", 400_000)
    ours, theirs = pair
    theirs.setblocking(False)
    before = open_files()
    dice = random.Random(1)
    due = dice.randbytes(1_200_000)
    buffer = OutputBuffer(1000, str(tmp_path))
    rest = buffer.append(due)
    received = b""
    rooms = []
    while buffer:
        with contextlib.suppress(BlockingIOError):
            buffer.flush(ours)
        with contextlib.suppress(BlockingIOError):
            received += theirs.recv(1 << 20)
        room = len(rest)
        rest = buffer.append(rest)
        assert sum(file_sizes(tmp_path)) <= 400_000
        if len(rest) < room:
            rooms.append(len(received))
    while len(received) < len(due):
        received += theirs.recv(1 << 20)
    assert received == due
    assert len(rooms) >= 8
    assert rooms[0] < 150_000
    assert max(after - then for then, after in itertools.pairwise(rooms)) < 200_000
    buffer.close()
    assert open_files() == before


def file_sizes(folder: Path) -> list[int]:
    """Of the open files that have no name, in that folder."""
    sizes = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if entry.readlink().is_relative_to(folder):
                sizes.append(entry.stat().st_size)
    return sizes


def test_a_disk_that_fails_is_done_without(pair: Pair, tmp_path: Path) -> None:
    buffer = OutputBuffer(10, str(tmp_path / "missing"))
    assert buffer.append(b"x" * 11) == b"x" * 11
    assert buffer.error
    assert not buffer.append(b"x" * 10)
    assert drain(buffer, pair) == b"x" * 10
    assert not buffer.failure


def test_disk_is_given_back_when_all_is_sent(pair: Pair, tmp_path: Path) -> None:
    buffer = OutputBuffer(10, str(tmp_path))
    for _ in range(3):
        buffer.append(b"x" * 30_000)
        assert len(drain(buffer, pair)) == 30_000
        spooled = buffer._spooled
        assert spooled is not None
        assert os.fstat(spooled.fileno()).st_size == 0
    buffer.close()


@pytest.mark.parametrize("file", [True, False])
def test_a_turn_ends_although_the_client_has_room(pair: Pair, tmp_path: Path, file: bool) -> None:
    ours, theirs = pair
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    buffer = OutputBuffer(100_000, str(tmp_path))
    for _ in range(10):
        buffer.append(b"x" * 10_000)
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100_000)
    with path.open("rb") as opened:
        if file:
            buffer.close()
            buffer.append_file(FileSegment(opened.fileno(), 0, 100_000, own=False))
        assert buffer.flush(ours, 30_000) == 30_000
        assert len(theirs.recv(1 << 20, socket.MSG_PEEK)) > 0
        assert buffer.flush(ours) == 70_000
    buffer.close()


@pytest.mark.parametrize("spool", [True, False])
def test_flush_never_waits(pair: Pair, tmp_path: Path, spool: bool) -> None:
    """Neither send nor sendfile, although the socket is a blocking one."""
    ours, _ = pair
    fill(ours)
    buffer = OutputBuffer(10, str(tmp_path)) if spool else OutputBuffer(100_000, None)
    assert not buffer.append(b"y" * 100_000)
    with pytest.raises(BlockingIOError):
        buffer.flush(ours)
    assert buffer
    buffer.close()


def test_a_file_outlives_its_owners_descriptor(pair: Pair, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(100_000))
    before = open_files()
    buffer = OutputBuffer(10, None)
    with path.open("rb") as file:
        segment = FileSegment(file.fileno(), 0, 100_000, own=False)
        buffer.append_file(segment)
        buffer.flush(pair[0])
        buffer.keep(segment)
    assert buffer
    assert open_files() == before + 1
    buffer.close()
    assert open_files() == before


def test_nothing_is_kept_of_a_file_that_was_sent_whole(pair: Pair, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"short")
    buffer = OutputBuffer(10, None)
    with path.open("rb") as file:
        segment = FileSegment(file.fileno(), 0, 5, own=False)
        buffer.append_file(segment)
        assert buffer.flush(pair[0]) == 5
        before = open_files()
        buffer.keep(segment)
        assert open_files() == before
    assert pair[1].recv(10) == b"short"


def lost(buffer: OutputBuffer) -> None:
    """Nothing can follow what was lost: it would be taken for that."""
    assert buffer
    failure = buffer.failure
    assert failure
    again = type(failure) if isinstance(failure, ResponseCutError) else ConnectionAbortedError
    with pytest.raises(again):
        buffer.append(b"x")
    with socket.socket() as sock, pytest.raises(again):
        buffer.flush(sock)


def test_no_descriptor_left_gives_up_the_file(pair: Pair, tmp_path: Path) -> None:
    """The owner closes its descriptor next, and its number may soon be that of another file."""
    path = tmp_path / "file"
    path.write_bytes(bytes(100_000))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    buffer = OutputBuffer(10, None)
    with path.open("rb") as file:
        segment = FileSegment(file.fileno(), 0, 100_000, own=False)
        buffer.append_file(segment)
        buffer.flush(pair[0])
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            with pytest.raises(OSError, match="Too many open files"):
                buffer.keep(segment)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    lost(buffer)


def test_a_file_that_shrank_gives_up_the_file(pair: Pair, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    buffer = OutputBuffer(10, None)
    with path.open("rb") as file:
        buffer.append_file(FileSegment(file.fileno(), 0, 6, own=False))
        with pytest.raises(ResponseCutError, match="shrank"):
            buffer.flush(pair[0])
    lost(buffer)


def test_a_client_that_is_gone_ends_it(pair: Pair, tmp_path: Path) -> None:
    before = open_files()
    ours, theirs = pair
    buffer = OutputBuffer(10, str(tmp_path))
    buffer.append(b"x" * 100)
    theirs.close()
    with pytest.raises(BrokenPipeError):
        buffer.flush(ours)
    lost(buffer)
    assert open_files() == before - 1


SLOW = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/file":
        return environ["wsgi.file_wrapper"](open("file", "rb"))
    if environ["PATH_INFO"] == "/large":
        return (b"x" * 65536 for _ in range(1000))
    return [b"small"]
"""


@pytest.mark.parametrize("options", [(), ("--threads", "2")])
def test_a_client_that_takes_nothing_holds_up_nobody(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    """64 MB wait on disk for one client; another one is served, and then the first gets all."""
    options = ("--response-memory", "1000", *options)
    with serving(tmp_path, SLOW, *options) as server, server.connect() as slow:
        slow.send(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        assert slow.head().status == 200
        for _ in range(5):
            assert server.get("/small").content == b"small"
        assert b"".join(iter(slow.chunk, b"")) == b"x" * 65536 * 1000


@pytest.mark.parametrize("options", [(), ("--threads", "2")])
def test_a_client_that_takes_it_all_at_once_gets_it_in_turns(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    """What is left after a turn has no event of its own, for the client had room all the time."""
    with (tmp_path / "file").open("wb") as file:
        file.truncate(100_000_000)
    with serving(tmp_path, SLOW, *options) as server, server.connect() as client:
        for path in ("/file", "/large", "/file"):
            client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            head = client.head()
            if path == "/large":
                assert b"".join(iter(client.chunk, b"")) == b"x" * 65536 * 1000
                continue
            left = int(head.get("Content-Length") or 0) - len(client._buffer)
            client._buffer = b""
            buffer = bytearray(1 << 22)
            while left:
                count = client.sock.recv_into(buffer, min(left, len(buffer)))
                assert count
                left -= count
