"""The kernel's words on limits."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from wsgi_matrix.engines import proc_limits

TEXT = """Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max processes             {}                 {}                 processes
Max open files            256                  256                  files
"""


@pytest.mark.parametrize(
    ("soft", "hard", "nproc"), [("7", "7", 7), ("7", "8", None), ("unlimited", "unlimited", None)]
)
def test_a_limit_counts_where_soft_and_hard_are_one_number(soft, hard, nproc):
    assert proc_limits.parse(TEXT.format(soft, hard)) == {"nofile": 256, "nproc": nproc}


def test_what_is_not_told_is_not_made_up():
    assert proc_limits.parse("") == {}
    assert proc_limits.parse("Max open files  9  9  files\n") == {"nofile": 9}


def test_our_own_are_those_that_the_kernel_says():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    found = proc_limits.parse(Path("/proc/self/limits").read_text())
    assert found["nofile"] == (soft if soft == hard else None)
