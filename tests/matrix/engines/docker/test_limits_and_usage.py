"""What is observed in a running container."""

from __future__ import annotations

import pytest
from wsgi_matrix.engines.docker.limits_and_usage import limits, parse_limits
from wsgi_matrix.model.results import Observed

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


class Losing:
    """Stands for an engine that loses what the first commands said."""

    def __init__(self, losses: int) -> None:
        self._losses = losses

    def exec_create(
        self, _container: str, _command: list[str], **_options: object
    ) -> dict[str, str]:
        self._losses -= 1
        return {"Id": "x"}

    def exec_start(self, _made: str) -> bytes:
        return b"" if self._losses >= 0 else PROC.format(7, 7).encode() + b"max\n"


def test_what_the_engine_has_lost_is_asked_for_again_but_not_for_ever() -> None:
    assert limits(Losing(2), "server", 1) == Observed(nofile=256, nproc=7)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"no .* in"):
        limits(Losing(99), "server", 1)  # type: ignore[arg-type]
