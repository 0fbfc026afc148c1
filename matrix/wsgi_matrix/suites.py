"""Suites: what a run sends to its cells, how that is judged, and compared across them.

``hello`` is the matrix of limits: two requests and a burst. ``contract`` is all that an app has to
answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wsgi_matrix.cases import REQUESTS, Case, registry
from wsgi_matrix.compare import compare
from wsgi_matrix.model import CellResult

if TYPE_CHECKING:
    from wsgi_matrix.config import Config

HELLO = "hello"
CONTRACT = "contract"
NAMES = (HELLO, CONTRACT)


@dataclass(frozen=True, kw_only=True)
class Suite:
    """What is sent and judged. A front door makes one and hands it to the runner."""

    name: str = HELLO
    requests: Mapping[str, bytes] = field(default_factory=lambda: REQUESTS)
    """By name, in the order in which they are sent; the first is what the burst sends."""
    cases: tuple[Case, ...] = registry.CASES
    compare: Callable[[Sequence[CellResult]], tuple[CellResult, ...]] = compare
    """Adds what only several cells together can tell."""
    repeat: int | None = None
    """How often each request is sent; ``None``: as the matrix says."""
    burst: bool = True
    patience: float | None = None
    """Seconds for one exchange; ``None``: a share of the cell's deadline."""
    notes: tuple[str, ...] = ()
    """Lines for people under the result: what answers were normalised by, say."""


def choose(config: Config, name: str = "") -> Suite:
    """The suite ``name`` of ``config``; empty: the one that it names itself.

    Raises :class:`~wsgi_matrix.errors.ConfigError` for one that needs a table which is not there.
    """
    name = name or config.settings.suite
    if name == HELLO:
        return Suite()
    # Late: it reads files by the rules of the configuration, which knows the names of suites.
    from wsgi_matrix import contract  # noqa: PLC0415

    return contract.suite(config)
