"""``onegate.master.zygote``: forks when it is told to, and nobody waits for its answer."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

from onegate.master import zygote
from onegate.master.zygote import Zygote
from onegate.process.status_pipe import StatusPipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import NoReturn

    import pytest


def serves(slot: int, age: int, status_fd: int) -> NoReturn:
    os.write(status_fd, b"slot %d, worker %d" % (slot, age))
    os._exit(0)


@contextlib.contextmanager
def a_zygote(become: Callable[[int, int, int], NoReturn] = serves) -> Iterator[Zygote]:
    """The master's end of one; at the end it has ended."""
    line = Zygote()
    pid = os.fork()
    if not pid:
        try:
            line.serve(become)
        finally:
            os._exit(0)
    line.in_master()
    try:
        yield line
    finally:
        line.close()
        os.waitpid(pid, 0)


def until_closed(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def heard_of(line: Zygote, slot: int, age: int) -> bytes:
    """All that a worker reports which is requested."""
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    line.request(slot, age, write_end)
    os.close(write_end)
    return until_closed(read_end)


def test_a_worker_is_heard_of_by_its_pid_first() -> None:
    with a_zygote() as line:
        for slot, age in ((0, 1), (7, 2)):
            pid, _, rest = heard_of(line, slot, age).partition(b";")
            assert pid.startswith(b"=")
            assert int(pid[1:]) not in (0, os.getpid())
            assert rest == b"slot %d, worker %d" % (slot, age)


def test_one_that_cannot_be_forked_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_process() -> int:
        raise OSError(errno.EAGAIN, "")

    monkeypatch.setattr(zygote, "fork", no_process)
    with a_zygote() as line:
        assert heard_of(line, 0, 1) == b"!%d;" % errno.EAGAIN
        assert heard_of(line, 0, 1) == b"!%d;" % errno.EAGAIN


def test_nor_can_the_second_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    fork, pid = os.fork, os.getpid()

    def one_fork() -> int:
        if os.getppid() != pid:  # in the process between
            raise OSError(errno.ENOMEM, "")
        return fork()

    monkeypatch.setattr(zygote, "fork", one_fork)
    with a_zygote() as line:
        assert heard_of(line, 0, 1) == b"!%d;" % errno.ENOMEM


def test_one_that_was_given_up_ends_before_it_does_anything() -> None:
    came, comes = os.pipe2(os.O_CLOEXEC)

    def become(slot: int, age: int, status_fd: int) -> NoReturn:
        os.write(comes, b"%d" % age)
        StatusPipe(status_fd).serves()
        os._exit(0)

    with a_zygote(become) as line:
        os.close(comes)
        read_end, write_end = os.pipe2(os.O_CLOEXEC)
        os.close(read_end)
        line.request(0, 1, write_end)
        os.close(write_end)
        assert heard_of(line, 0, 2).endswith(b";+")
    assert until_closed(came) == b"2"
