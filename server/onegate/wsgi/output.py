"""What a call needs of the place that its answer goes to. Imported for annotations only."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol


class Output(Protocol):
    """Where the answer goes. All methods raise :class:`onegate.wsgi.ClientGone`."""

    def send(self, octets: bytes) -> None:
        """Send at once as much as the client takes, and keep the rest to be sent in order."""

    def send_last(self, octets: bytes, close: bool) -> None:
        """The same, when nothing of this answer follows. ``close``: the connection ends with it."""

    def send_file(self, descriptor: int, position: int, count: int) -> None:
        """The same for ``count`` octets of a regular file from ``position`` on."""
