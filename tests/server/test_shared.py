"""What threads of a worker share: nothing of one call is another's, wherever it is interrupted."""

from __future__ import annotations

import itertools
import re
import sys
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest
from onegate.http1 import Head, date, response_cache, response_validation
from onegate.logs import access_format, request_id
from onegate.wsgi import make_call

from bench.soak_threads import soak_threads
from tests.server.wsgi.conftest import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow


def at_every_opcode(
    prepare: Callable[[], object], run: Callable[[], object], other: Callable[[], object]
) -> int:
    """``run`` again and again, each time with all of ``other`` between two other opcodes of the
    server in it, as another thread may go on there. ``prepare`` goes before each; how many times.
    """
    measured = sys.gettrace()  # by coverage, which goes on with what follows
    for turns in itertools.count(1):
        prepare()
        interruption = Interruption(turns, other)
        sys.settrace(interruption.trace)
        try:
            run()
        finally:
            sys.settrace(measured)
        if interruption.left > 0:
            return turns
    raise AssertionError


class Interruption:
    """Calls ``other`` before the ``left``-th opcode of the server."""

    def __init__(self, left: int, other: Callable[[], object]) -> None:
        self.left = left
        self._other = other

    def trace(self, frame: FrameType, _event: str, _argument: object) -> Any:
        """A frame begins."""
        if self.left <= 0 or not frame.f_globals["__name__"].startswith("onegate."):
            return None
        # From Python 3.13 on a frame without a trace function has no opcodes traced.
        frame.f_trace = self._opcode
        frame.f_trace_opcodes = True
        return self._opcode

    def _opcode(self, _frame: FrameType, event: str, _argument: object) -> Any:
        if event == "opcode":
            self.left -= 1
            if not self.left:
                sys.settrace(None)
                self._other()
        return self._opcode if self.left > 0 else None


def respond(method: str, minor: int, close: bool, content: bytes) -> bytes:
    """The octets of a response, without the second of its Date."""
    head = Head()
    head.method, head.target, head.minor, head.close = method, "/", minor, close
    head.fields = {}

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [content]

    out = Recorder()
    make_call(out, head, {}).run(app)
    return re.sub(rb"Date: [^\r]*", b"", out.octets)


def forget() -> None:
    """Empty the memory of response heads."""
    response_cache.HEADS.entries.clear()
    response_cache.HEADS._recent.clear()
    response_validation.NAMES.entries.clear()


@pytest.mark.parametrize("warm", [True, False], ids=["remembered", "new"])
@pytest.mark.parametrize(
    "other",
    [("GET", 1, False, b"another"), ("HEAD", 1, False, b"one"), ("GET", 0, True, b"one")],
    ids=["length", "method", "version"],
)
def test_a_response_has_its_own_head_wherever_another_comes_in_between(
    other: tuple[str, int, bool, bytes], warm: bool
) -> None:
    one = ("GET", 1, False, b"one")
    due = {}
    for asked in (one, other):
        forget()
        due[asked] = respond(*asked)
    assert due[one] != due[other]
    got = []
    for first, second in ((one, other), (other, one)):

        def prepare(first: tuple[str, int, bool, bytes] = first) -> None:
            if warm:
                respond(*first)
            else:
                forget()

        turns = at_every_opcode(
            prepare,
            lambda first=first: got.append((first, respond(*first))),
            lambda second=second: got.append((second, respond(*second))),
        )
        assert turns > 100
    assert [(asked, octets) for asked, octets in got if octets != due[asked]] == []


def test_a_list_of_fields_that_changes_meanwhile_is_remembered_as_what_it_was() -> None:
    """It is the application's, whose threads may share it."""
    fields: list[tuple[str, str]] = []

    def change() -> None:
        fields[0] = ("X-Name", "2")

    def prepare() -> None:
        forget()
        for number in "12":
            response_validation.check_field(("X-Name", number))
        response_cache.HEADS.repeats(("200 OK", ("X-Name", "1")))
        fields[:] = [("X-Name", "1")]

    def run() -> None:
        response_cache.response_head("200 OK", fields)
        assert response_cache.response_head("200 OK", [("X-Name", "1")]).lines == "X-Name: 1\r\n"
        assert response_cache.response_head("200 OK", [("X-Name", "2")]).lines == "X-Name: 2\r\n"

    assert at_every_opcode(prepare, run, change) > 50


@pytest.mark.parametrize("make", [date.date_line, access_format.timestamps._make])
def test_a_clock_never_gives_another_second(make: Callable[[int], object]) -> None:
    clock = date.PerSecond(make)

    def at(second: int) -> None:
        assert clock.at(second) == make(second)

    assert at_every_opcode(lambda: at(3600), lambda: at(7200), lambda: at(7201)) > 10
    assert at_every_opcode(lambda: at(3600), lambda: at(7200), lambda: at(7200)) > 10


@pytest.mark.parametrize("now", [7200.5, 7201.75])
def test_the_time_in_json_is_of_one_second(now: float) -> None:
    access_format.timestamps.at(3600)
    due = access_format.iso_time(now)
    got = []

    def other() -> None:
        access_format.timestamps.at(10800)

    turns = at_every_opcode(
        lambda: access_format.timestamps.at(3600),
        lambda: got.append(access_format.iso_time(now)),
        other,
    )
    assert turns > 10
    assert set(got) == {due}


def test_a_request_has_one_id_even_if_two_threads_ask() -> None:
    environ: dict[str, Any] = {}
    names = set()

    def prepare() -> None:
        environ.clear()
        names.clear()

    def ask() -> None:
        names.add(request_id.request_id(environ))
        assert names == {environ[request_id.KEY]}

    assert at_every_opcode(prepare, ask, ask) > 5


# ── on the wire ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("switch", "responses"), [("interval", 20_000), ("opcodes", 3_000)], ids=["interval", "opcodes"]
)
def test_responses_of_every_shape_are_those_of_their_requests(
    tmp_path: Path, switch: str, responses: int
) -> None:
    """With an interpreter that switches threads each microsecond, and one that does so between any
    two opcodes of the server. A million of them: ``make soak``."""
    outcome = soak_threads(responses, tmp_path, switch=switch)
    assert outcome.wrong == []
    assert outcome.total == responses
    assert len(outcome.right) == 15
    assert outcome.logged > responses / 3
