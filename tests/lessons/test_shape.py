"""The comparison of a session with its page sees what matters and nothing else."""

from __future__ import annotations

import pytest

PAGE = """text
```console
$ one
old
$ two \\
>   more
old
old
```
between
```console
$ three
```
"""


def test_commands_and_what_they_showed_are_read_and_written(sessions):
    assert sessions.commands(PAGE) == ["one", "two \\\n  more", "three"]
    assert sessions.shown(PAGE) == ["old\n", "old\nold\n", ""]
    written = sessions.write(PAGE, ["1\n", "2\n", "3\n"])
    assert sessions.shown(written) == ["1\n", "2\n", "3\n"]
    assert sessions.commands(written) == sessions.commands(PAGE)
    assert sessions.write(written, ["old\n", "old\nold\n", ""]) == PAGE


def test_where_the_last_command_writes_markdown_it_stands_there(sessions):
    page = PAGE + "<!-- output of the last command -->\nold\n<!-- end -->\n"
    written = sessions.write(page, ["1\n", "2\n", "| a |\n"])
    assert sessions.shown(written) == ["1\n", "2\n", "| a |\n"]
    assert written.count("| a |") == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pid 12, parent pid 11: python3", "pid 7, parent pid 3: python3"),
        ("      0.3 s\n", "      12.1 s\n"),
        ("3 socket:[111], 4 socket:[112]", "3 socket:[98], 4 socket:[99]"),
        ("(127.0.0.1:40312, 127.0.0.1:8001)", "(127.0.0.1:58000, 127.0.0.1:8001)"),
        (
            "  390 answered\n    1 no answer, then ECONNRESET\n  109 not connected: ECONNREFUSED\n",
            "  391 answered\n   18 not connected: ECONNREFUSED\n",
        ),
        ("children of pid 9: 480 zombie", "children of pid 10: 655 zombie"),
    ],
)
def test_what_differs_each_time_is_the_same(sessions, one, other):
    assert sessions.shape(one) == sessions.shape(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pid 12, parent pid 11", "pid 12, parent pid 12"),
        ("[Errno 24]", "[Errno 11]"),
        ("3 socket:[111], 4 socket:[111]", "3 socket:[98], 4 socket:[99]"),
        ("128 answered", "127 answered"),
        ("7 answered", "8 answered"),
        ("500 answered", "no answer"),
        ("252 answered\n   48 no answer, then ECONNRESET\n", "300 answered\n"),
        (": 128 sleeping", ": none"),
        ("zombie", "sleeping"),
    ],
)
def test_what_matters_is_not(sessions, one, other):
    assert sessions.shape(one) != sessions.shape(other)
