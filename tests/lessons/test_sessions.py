"""The sessions of the pages, run again: they are what the pages show, and prove what these say.

In containers, or as processes where no engine answers.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = [
    # Where no engine answers, the Docker SDK leaves its socket for the collector of garbage.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.process,
]

NAMES = sorted(path.stem for path in (Path(__file__).parents[2] / "docs/lessons").glob("[0-9]*.md"))


@pytest.mark.parametrize("name", NAMES)
def test_the_page_shows_what_really_comes(name, sessions, ran):
    page = sessions.pages()[name].read_text()
    typed, shown = sessions.commands(page), sessions.shown(page)
    assert len(shown) == len(typed) > 0
    for command, on_page, came in zip(typed, shown, ran[name], strict=True):
        assert sessions.shape(came) == sessions.shape(on_page), (
            f"$ {command}\nif this is right: make lessons LESSONS={name}"
        )


@pytest.fixture
def said(ran, sessions):
    """`said("07", "--count")` → what the commands with that text showed, in order."""

    def find(number, part):
        [name] = [name for name in ran if name.startswith(number)]
        typed = sessions.commands(sessions.pages()[name].read_text())
        return [out for command, out in zip(typed, ran[name], strict=True) if part in command]

    return find


def test_lesson_2_is_one_file_for_four_applications(said):
    before, after = said("02", "sha256sum")
    assert before == after
    [answers] = said("02", "for app in")
    assert answers.count("Hello, World!\n(the server closed: FIN)") == 4
    assert said("02", "rules.py")[0].endswith("1 of 20 rules kept\n")


def test_lesson_3_second_waits_and_queue_is_backlog_and_one(said):
    [three] = said("03", "--max-conns 3")
    assert float(re.search(r"(\d+\.\d) s", three)[1]) >= 3
    [twelve] = said("03", "--max-conns 12")
    assert "  7 answered\n" in twelve
    assert "  5 not connected: timed out\n" in twelve


def test_lesson_4_nobody_waits_and_each_has_its_own_descriptors(said):
    [three] = said("04", "cat answers")
    assert float(re.search(r"(\d+\.\d) s", three)[1]) < 3 * 2  # of 2 s each, one after another
    [processes] = said("04", "--descriptors")
    parent, *children = re.findall(r"    (.*)\n", processes)
    assert re.fullmatch(r"3 socket:\[\d+\]", parent)
    assert len({re.fullmatch(r"4 (socket:\[\d+\])", child)[1] for child in children}) == 3


def test_lesson_5_no_end_and_EMFILE(said):
    [answer] = said("05", "say.py")
    assert answer.endswith("Hello, World!\n(no end after 3.0 s: the connection is still open)\n")
    assert said("05", "wait $server; echo") == ["exit status 1\n"]
    assert said("05", "tail") == ["OSError: [Errno 24] Too many open files\n"]


def test_lesson_6_EAGAIN_though_never_two_at_a_time(said):
    [listed] = [out for out in said("06", "look.py $server") if "parent" in out]
    assert listed.count("zombie <defunct>") == 5
    assert said("06", "wait $server; echo") == ["exit status 1\n"]
    assert said("06", "tail -n 1 log") == [
        "BlockingIOError: [Errno 11] Resource temporarily unavailable\n"
    ]


def test_lesson_7_EINTR_and_signals_that_merge(said):
    assert said("07", "tail") == ["InterruptedError: [Errno 4] Interrupted system call\n"]
    none, some, all_there, all_but_one = said("07", "--count")
    assert none.endswith(": none\n")
    assert int(re.search(r"(\d+) zombie", some)[1]) >= 1
    assert "128 sleeping" in all_there
    assert re.search(r": 127 zombie <defunct>\n$", all_but_one)


def test_lesson_8_leaves_none(said):
    [load] = said("08", "--rounds 10")
    assert "1280 answered" in load
    after_load, there, after_stop, after_limit = said("08", "--count")
    assert "128 sleeping" in there
    assert {re.sub(r"\d+", "N", out) for out in (after_load, after_stop, after_limit)} == {
        "children of pid N: none\n"
    }
    assert "500 answered" in said("08", "--rounds 500")[0]


def test_lesson_9_four_applications_one_answer_nothing_left(said):
    before, after = said("09", "sha256sum")
    assert before == after
    [loop] = said("09", "for app in")
    assert len(re.findall(r"  128 answered\n", loop)) == 4
    assert len(set(re.findall(r"128 answers of SHA-256 (\w+)", loop))) == 1
    assert len(re.findall(r": none\n", loop)) == 4


def test_lesson_10_counts_more_for_the_real_one(said):
    [table] = said("10", "cat table")
    assert re.search(r"\*\*rules kept, of 20\*\* \| 6 \| 20 \|", table)
    last = table.splitlines()[-1]
    assert "**it died:** BlockingIOError: [Errno 11]" in last
    # A worker that is full lets go who has been silent longest, so that others get in; 425 is its
    # budget under 500 descriptors.
    answered = re.search(r"\| (\d+) answered, no zombie \|$", last)
    assert answered
    assert int(answered[1]) >= 425
