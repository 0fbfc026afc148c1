"""wsgi.file_wrapper (PEP 3333, "Optional Platform-Specific File Handling")."""

from __future__ import annotations

import copy
import io
import socket
from pathlib import Path

import pytest
from onegate.wsgi import FileWrapper

from tests.server.helpers import wait_for
from tests.server.wsgi.conftest import Apps


def test_W72_nothing_is_read_before_the_server_does(either: Apps) -> None:
    assert either.ask("files:unread").content == b"nothing was read"


def test_W72_block_size_is_optional_and_positional() -> None:
    assert list(FileWrapper(io.BytesIO(b"x" * 8193))) == [b"x" * 8192, b"x"]
    assert list(FileWrapper(io.BytesIO(b"abc"), 2)) == [b"ab", b"c"]


def test_W73_close_exactly_if_the_file_has_one() -> None:
    file = io.BytesIO()
    FileWrapper(file).close()
    assert file.closed

    class NoClose:
        def read(self, size: int) -> bytes:
            return b""

    assert not hasattr(FileWrapper(NoClose()), "close")


def test_W73_close_is_called(apps: Apps) -> None:
    assert (
        apps.ask("closes:file").content
        == (Path(__file__).parents[1] / "apps/closes.py").read_bytes()
    )
    assert apps.events() == ["close"]


@pytest.mark.parametrize("start", [0, 1, 10_000, 37_889])
def test_W74_from_the_current_position(either: Apps, data: bytes, start: int) -> None:
    assert either.ask("files", query=f"from={start}").content == data[start:]


@pytest.mark.parametrize(
    ("app", "start"), [("raw", 0), ("partly_read", 10), ("temporary", 3), ("named", 3)]
)
def test_W74_of_every_kind_of_file(either: Apps, data: bytes, app: str, start: int) -> None:
    assert either.ask(f"files:{app}").content == data[start:]


@pytest.mark.parametrize("app", ["files", "files:memory", "files:only_read", "files:compressed"])
@pytest.mark.parametrize("length", [1, 8192, 10_000])
def test_W75_up_to_content_length(apps: Apps, data: bytes, app: str, length: int) -> None:
    """That is how a range is answered: not worth a line in the log."""
    before = len(apps.log())
    response = apps.ask(app, query=f"length={length}")
    assert response.content == data[:length]
    assert "more content than Content-Length" not in apps.log()[before:]


def test_W75_content_length_zero(apps: Apps) -> None:
    before = len(apps.log())
    assert apps.ask("files", query="length=0").content == b""
    assert "Content-Length" not in apps.log()[before:]


def test_W75_a_range_of_the_file(apps: Apps, data: bytes) -> None:
    assert apps.ask("files", query="from=1000&length=50").content == data[1000:1050]


def test_W75_a_file_shorter_than_content_length_cuts(apps: Apps, data: bytes) -> None:
    with apps.send("files", query=f"length={len(data) + 1}") as client:
        assert client.head().get("Content-Length") == str(len(data) + 1)
        with pytest.raises((ConnectionResetError, EOFError)):
            client.read(len(data) + 1)
    apps.server.wait_for_log("content is 1 octets shorter than Content-Length")


def test_a_range_at_the_end_of_a_large_file_does_not_read_the_file(
    either: Apps, data: bytes
) -> None:
    assert either.ask("files:range_at_the_end").content == b"the end."
    count = either.server.folder / "data.count"
    wait_for(count.exists, "the file is closed")
    assert int(count.read_text()) <= 8192
    count.unlink()
    (either.server.folder / "data.large").unlink()


def test_what_is_sent_begins_where_the_wrapper_was_moved_to(apps: Apps, data: bytes) -> None:
    """Without a read, for it is the standard library's file (W74)."""
    assert apps.ask("files:sought").content == data[1000:1050]
    assert apps.ask("files:begun").content == data[100:]


def test_the_wrapper_is_an_iterator_with_what_its_file_has(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        wrapper = FileWrapper(file, 4)
        assert iter(wrapper) is wrapper
        assert wrapper.seekable()
        assert (next(wrapper), wrapper.tell()) == (b"0123", 4)
        wrapper.seek(1)
        assert (next(wrapper), wrapper.read(2)) == (b"1234", b"56")
        assert list(wrapper) == [b"789"]
        assert list(wrapper) == []
        assert (wrapper.fileno(), wrapper.name) == (file.fileno(), str(path))
        assert wrapper.block_size == 4


def test_the_wrapper_has_nothing_that_its_file_has_not() -> None:
    class OnlyRead:
        _own = True

        def read(self, size: int) -> bytes:
            return b""

    wrapper = FileWrapper(OnlyRead())
    for name in ("close", "seekable", "seek", "tell", "fileno", "name", "_own", "__len__"):
        assert not hasattr(wrapper, name)
    assert copy.copy(wrapper).filelike is wrapper.filelike


@pytest.mark.parametrize("app", ["memory", "only_read", "compressed"])
def test_W76_objects_without_a_descriptor_of_their_content(
    either: Apps, data: bytes, app: str
) -> None:
    assert either.ask(f"files:{app}").content == data


def test_W76_an_object_that_passes_a_descriptor_on(either: Apps, data: bytes) -> None:
    """What it gives is what read() gives, not what the descriptor holds."""
    assert either.ask("files:first").content == data[:100]
    assert either.ask("files:shouting").content == data.upper()
    assert either.ask("files:shouting_raw").content == data.upper()


def test_W76_pipe_and_files_that_lie_about_their_size(either: Apps) -> None:
    assert either.ask("files:pipe").content == b"through a pipe"
    assert either.ask("files:proc").content == Path("/proc/version").read_bytes()


@pytest.mark.parametrize("app", ["empty", "behind_end"])
def test_W76_nothing_left_to_send(either: Apps, app: str) -> None:
    response = either.ask(f"files:{app}")
    assert (response.get("Content-Length"), response.content) == ("0", b"")


@pytest.mark.parametrize("app", ["write_only", "closed"])
def test_W76_a_file_that_cannot_be_read(apps: Apps, app: str) -> None:
    assert apps.ask(f"files:{app}").status == 500


def test_W77_middleware_reads_the_wrapper_itself(either: Apps, data: bytes) -> None:
    assert either.ask("files:middleware").content == data.upper()


def test_after_write_the_file_follows(either: Apps, data: bytes) -> None:
    assert either.ask("files:after_write").content == b"in front " + data


@pytest.mark.parametrize("app", ["files", "files:memory"])
def test_head_sends_nothing_of_the_file(either: Apps, app: str) -> None:
    either.ask(app, method="HEAD", query="length=10")
    either.ask(app, method="HEAD")


def test_a_regular_file_is_sent_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        file.read(4)
        assert FileWrapper(file).regular_file() == (file.fileno(), 4, 6)
    with path.open("r+b") as file:
        assert FileWrapper(file).regular_file() == (file.fileno(), 0, 10)
    assert FileWrapper(file).regular_file() is None
    with path.open() as text:
        assert FileWrapper(text).regular_file() is None
    with path.open("ab", buffering=0) as raw:
        assert FileWrapper(raw).regular_file() is None
    with Path("/dev/null").open("rb") as device:
        assert FileWrapper(device).regular_file() is None
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb") as stream:
        assert FileWrapper(stream).regular_file() is None


def test_a_device_is_no_regular_file() -> None:
    with open("/dev/zero", "rb") as device:  # noqa: PTH123 - as applications do
        assert FileWrapper(device).regular_file() is None
