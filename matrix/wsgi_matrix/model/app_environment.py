"""What an app needs around it: variables, secrets, a set-up command, a folder, a database.

A cell has them anew each time, so that no cell sees what another has left.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SECRETS = "/run/secrets"
"""Where secrets are in a container, each a file of its name, as Docker and Podman have it."""
STEADY = {"PYTHONHASHSEED": "0"}
"""In every cell: the order of a set, which differs from one process to the next, must not look like
a difference of servers."""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A container beside the server: a database, say. Containers only."""

    name: str
    """What the app calls it as a host."""
    image: str
    environment: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...] = ()
    """Arguments to its entry point; none: the image's own."""
    port: int | None = None
    """What it has to listen on before anything else starts; ``None``: what the image exposes."""


@dataclass(frozen=True, kw_only=True)
class Ready:
    """The app is ready when GET of ``path`` is answered with ``status``."""

    path: str
    status: int = 200

    @property
    def request(self) -> bytes:
        """The octets to send."""
        return f"GET {self.path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """All that a cell of an app has besides the app.

    In the values of ``environment`` and the words of ``setup``, ``{writable}`` and ``{secrets}``
    are the folders of the cell, and ``{python}`` is its interpreter.
    """

    environment: tuple[tuple[str, str], ...] = ()
    secrets: tuple[tuple[str, Path], ...] = ()
    """By name: the file of this machine that has the content."""
    setup: tuple[tuple[str, ...], ...] = ()
    """Commands, run in the app's folder one after another before the server starts."""
    writable: str = ""
    """Absolute path of a folder that can be written; empty: none. One of its own for each cell."""
    beside: tuple[Beside, ...] = ()
    ready: Ready | None = None

    def filled(self, text: str, *, writable: str, secrets: str, python: str) -> str:
        """``text`` with its three placeholders filled in; braces are else left alone."""
        text = text.replace("{writable}", writable).replace("{secrets}", secrets)
        return text.replace("{python}", python)

    def commands(self, **folders: str) -> tuple[tuple[str, ...], ...]:
        """The set-up commands. ``python`` as the first word is the cell's interpreter."""
        return tuple(
            tuple(
                folders["python"]
                if number == 0 and word in ("python", "python3")
                else self.filled(word, **folders)
                for number, word in enumerate(words)
            )
            for words in self.setup
        )

    def variables(self, **folders: str) -> dict[str, str]:
        """The environment, filled in."""
        return STEADY | {name: self.filled(value, **folders) for name, value in self.environment}

    def names(self, place: str) -> bool:
        """Whether a variable or set-up command says ``{place}``."""
        words = [value for _, value in self.environment]
        words += [word for command in self.setup for word in command]
        return any("{" + place + "}" in word for word in words)
