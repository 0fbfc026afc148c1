"""What the process may use, and what follows from it.

The number of descriptors decides how many connections a worker may hold at once. It is never
exceeded on purpose: clients beyond it wait in the kernel's queue instead of being refused.
"""

from __future__ import annotations

import resource
import sys
from dataclasses import dataclass

MAX_CONNECTIONS = 16384
"""For one worker, however many descriptors there are: memory has to be bounded too."""


@dataclass(frozen=True)
class Budget:
    """How many descriptors a worker has, and how many of them may be connections."""

    nofile: int
    connections: int


def budget(open_now: int) -> Budget:
    """The budget of a worker that holds ``open_now`` descriptors already.

    An eighth of the limit, at least 8 and at most 64, is left to the application and to files
    that are spooled. A limit too low for that leaves at least one connection.
    """
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    nofile = sys.maxsize if soft == resource.RLIM_INFINITY else soft
    reserve = min(64, max(8, nofile // 8))
    return Budget(nofile, max(1, min(MAX_CONNECTIONS, nofile - open_now - reserve)))
