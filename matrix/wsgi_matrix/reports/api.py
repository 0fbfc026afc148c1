"""The interface of reports: each is a file that a run writes.

Each is a module next to this one, or in another distribution, and has a :class:`Report` that
:mod:`wsgi_matrix.reports.registry` finds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wsgi_matrix.results import results_json


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report and its names."""

    name: str
    """The name for ``wsgi-matrix report --format``."""
    file: str
    """The name of its file in the results directory."""
    render: Callable[[dict[str, Any]], str]
    """The text, a pure function of a value of ``results.json`` (:func:`.results_json.schema`);
    :func:`.results_json.run_of` makes a :class:`~wsgi_matrix.model.results.Run` of it."""

    def __post_init__(self) -> None:
        if not self.file or "/" in self.file:
            raise ValueError(f"file {self.file!r}: expected a file name without a directory")


JSON = Report(name="json", file="results.json", render=results_json.dumps)
"""The reports of this package."""
