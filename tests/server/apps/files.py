"""wsgi.file_wrapper over everything that can be read. ``data`` is in the working folder."""

import gzip
import io
import os
import tempfile
from pathlib import Path
from urllib.parse import parse_qs

PLAIN = [("Content-Type", "application/octet-stream")]
DATA = Path(os.environ.get("FILES_DATA", "data"))


def answer(environ, start_response, file, *block_size):
    """``?length=N``: declare that length."""
    query = parse_qs(environ["QUERY_STRING"])
    headers = list(PLAIN)
    if "length" in query:
        headers.append(("Content-Length", query["length"][0]))
    start_response("200 OK", headers)
    return environ["wsgi.file_wrapper"](file, *block_size)


def app(environ, start_response):
    """A regular file, from ``?from=N`` on."""
    file = DATA.open("rb")
    file.seek(int(parse_qs(environ["QUERY_STRING"]).get("from", ["0"])[0]))
    return answer(environ, start_response, file)


def raw(environ, start_response):
    return answer(environ, start_response, DATA.open("rb", buffering=0))


def partly_read(environ, start_response):
    """Buffered: the descriptor is further than the file object says."""
    file = DATA.open("rb")
    file.read(10)
    return answer(environ, start_response, file)


def temporary(environ, start_response):
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the server closes it
    file.write(DATA.read_bytes())
    file.seek(3)
    return answer(environ, start_response, file)


def named(environ, start_response):
    file = tempfile.NamedTemporaryFile()  # noqa: SIM115 - the server closes it
    file.write(DATA.read_bytes())
    file.seek(3)
    return answer(environ, start_response, file)


def memory(environ, start_response):
    return answer(environ, start_response, io.BytesIO(DATA.read_bytes()), 1000)


class OnlyRead:
    """Neither descriptor nor close."""

    def __init__(self, content):
        self._file = io.BytesIO(content)

    def read(self, size):
        return self._file.read(size)


def only_read(environ, start_response):
    return answer(environ, start_response, OnlyRead(DATA.read_bytes()))


def compressed(environ, start_response):
    """Its descriptor is that of the compressed octets."""
    path = DATA.with_suffix(".gz")
    path.write_bytes(gzip.compress(DATA.read_bytes()))
    return answer(environ, start_response, gzip.open(path, "rb"))


class First:
    """The first octets of a file; everything else is passed on to it, its descriptor too."""

    def __init__(self, file, count):
        self._file, self._left = file, count

    def read(self, size):
        block = self._file.read(min(size, self._left))
        self._left -= len(block)
        return block

    def __getattr__(self, name):
        return getattr(self._file, name)


def first(environ, start_response):
    return answer(environ, start_response, First(DATA.open("rb"), 100))


class Shouting(io.BufferedReader):
    """Of the standard library's kind, and yet what is read is not what is on disk."""

    def read(self, size=-1):
        return super().read(size).upper()


def shouting(environ, start_response):
    return answer(environ, start_response, Shouting(DATA.open("rb", buffering=0)))


class ShoutingRaw(io.FileIO):
    """The same without a buffer."""

    def read(self, size=-1):
        return super().read(size).upper()


def shouting_raw(environ, start_response):
    return answer(environ, start_response, ShoutingRaw(DATA))


def pipe(environ, start_response):
    read, write = os.pipe()
    os.write(write, b"through a pipe")
    os.close(write)
    return answer(environ, start_response, os.fdopen(read, "rb"))


def proc(environ, start_response):
    """A regular file that says it is empty, and is not."""
    return answer(environ, start_response, Path("/proc/version").open("rb"))


def empty(environ, start_response):
    DATA.with_suffix(".empty").write_bytes(b"")
    return answer(environ, start_response, DATA.with_suffix(".empty").open("rb"))


def behind_end(environ, start_response):
    file = DATA.open("rb")
    file.seek(1 << 30)
    return answer(environ, start_response, file)


def write_only(environ, start_response):
    return answer(environ, start_response, DATA.with_suffix(".new").open("wb", buffering=0))


def closed(environ, start_response):
    file = DATA.open("rb")
    file.close()
    return answer(environ, start_response, file)


def middleware(environ, start_response):
    """Reads the wrapper itself, as a middleware may (W77)."""
    for block in app(environ, start_response):
        yield block.upper()


class Counting(io.FileIO):
    """Counts the octets that are read of it."""

    octets = 0

    def read(self, size=-1):
        block = super().read(size)
        self.octets += len(block)
        return block

    def close(self):
        DATA.with_suffix(".count").write_text(str(self.octets))
        super().close()


class Range:
    """A range of an iterable as frameworks take it: they seek in what they are given, if they can,
    and else read all that is in front of it."""

    def __init__(self, iterable, start, count):
        self._iterable, self._left = iter(iterable), count
        if hasattr(iterable, "seekable") and iterable.seekable():
            self._iterable.seek(start)
            start -= self._iterable.tell()
        self._ahead = b""
        while start > 0:
            block = next(self._iterable)
            self._ahead = block[start:]
            start -= len(block)

    def __iter__(self):
        return self

    def __next__(self):
        block = self._ahead or (next(self._iterable) if self._left else b"")
        block, self._ahead = block[: self._left], b""
        if not block:
            raise StopIteration
        self._left -= len(block)
        return block

    def close(self):
        self._iterable.close()


def range_at_the_end(environ, start_response):
    """The last 8 octets of a sparse file of 1 GiB."""
    path = DATA.with_suffix(".large")
    with path.open("wb") as file:
        file.seek((1 << 30) - 8)
        file.write(b"the end.")
    start_response("206 Partial Content", [*PLAIN, ("Content-Length", "8")])
    return Range(environ["wsgi.file_wrapper"](Counting(path)), (1 << 30) - 8, 8)


def sought(environ, start_response):
    """The wrapper itself is returned, after some of it was passed over."""
    start_response("206 Partial Content", [*PLAIN, ("Content-Length", "50")])
    wrapper = environ["wsgi.file_wrapper"](DATA.open("rb"))
    wrapper.seek(1000)
    return wrapper


def begun(environ, start_response):
    """The wrapper itself is returned, after its first block was taken."""
    wrapper = environ["wsgi.file_wrapper"](DATA.open("rb"), 100)
    first = next(wrapper)
    start_response("200 OK", [*PLAIN, ("X-First", str(len(first)))])
    return wrapper


def after_write(environ, start_response):
    """Something was written before."""
    write = start_response("200 OK", list(PLAIN))
    write(b"in front ")
    return environ["wsgi.file_wrapper"](DATA.open("rb"))


def unread(environ, start_response):
    """Nothing is read, closed or asked before the server takes the wrapper (W72)."""

    class Untouched:
        def __getattr__(self, name):
            if name == "close":
                raise AttributeError(name)
            raise RuntimeError(f"asked for {name}")

    wrapper = environ["wsgi.file_wrapper"](Untouched(), 8192)
    iter(wrapper)
    start_response("200 OK", list(PLAIN))
    return [b"nothing was read"]
