"""What is observed in a running container."""

from __future__ import annotations

import pytest
from wsgi_matrix.engines.docker_observed import parse_limits
from wsgi_matrix.model import Observed

PROC = """Limit                     Soft Limit           Hard Limit           Units
Max processes             {}                 {}                 processes
Max open files            256                  256                  files
"""


def test_limits_are_read_from_the_kernels_words() -> None:
    assert parse_limits(PROC.format(7, 7) + "max\n") == Observed(nofile=256, nproc=7)
    assert parse_limits(PROC.format(7, 8) + "1048576\n") == Observed(nofile=256, memory=2**20)
    unlimited = PROC.format("unlimited", "unlimited") + "9223372036854771712\n"
    assert parse_limits(unlimited) == Observed(nofile=256)
    for text in ("", "max\n", PROC.format(7, 7)):
        with pytest.raises(ValueError, match=r"no .* in"):
            parse_limits(text)
