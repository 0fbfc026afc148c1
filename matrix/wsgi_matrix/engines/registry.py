"""The available engines: those of this package, and those of other distributions.

A distribution provides an engine as an entry point in the group ``wsgi_matrix.engines``, whose
object is an :class:`~wsgi_matrix.engines.api.EngineType`.
"""

from __future__ import annotations

from wsgi_matrix.engines.api import EngineType
from wsgi_matrix.util.entry_points import Registry

AUTO = "auto"
"""Instead of a name: the first available engine of this package."""
ENGINES = Registry(
    "wsgi_matrix.engines",
    EngineType,
    {
        "docker": "wsgi_matrix.engines.docker:TYPE",
        "process": "wsgi_matrix.engines.process:TYPE",
    },
)


def choices() -> tuple[str, ...]:
    """The values of ``--engine``."""
    return (AUTO, *ENGINES)


def has_images(name: str) -> bool:
    """Whether cells of the engine ``name`` have images; true for an unknown engine."""
    return name not in ENGINES or ENGINES[name].containers
