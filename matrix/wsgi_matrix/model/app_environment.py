"""The environment of an app: variables, secrets, setup commands, a directory, services.

Each cell gets its own, so that no cell sees what another has left behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from wsgi_matrix.util.schema_types import (
    Command,
    Environment,
    ExistingFile,
    Port,
    TableName,
    Text,
    between,
    doc,
    expect,
    pairs,
    values,
    whole,
    written_as,
)

SECRETS = "/run/secrets"
"""Directory of secrets in a container, one file each, as with Docker and Podman."""
STEADY = {"PYTHONHASHSEED": "0"}
"""In every cell, because the order of a set differs between processes, which must not look like a
difference between servers."""


_Host = Annotated[
    str, expect("a-z, 0-9 and - inside", pattern=whole("[a-z0-9]([a-z0-9-]*[a-z0-9])?"))
]
_Secret = Annotated[
    str, expect("letters, digits, _ . -", pattern=whole("[A-Za-z0-9_][A-Za-z0-9_.-]*"))
]


def _own_directory(path: str, _root: Path) -> str:
    if path == "/srv" or path.startswith(("/srv/", "/proc", "/sys", "/dev")):
        raise ValueError("a path outside /srv (the app's), /proc, /sys and /dev")
    return path


@dataclass(frozen=True, kw_only=True)
class Service:
    """A container that runs with the server, in its network, such as a database. Docker only."""

    name: TableName
    """The host name by which the app reaches it."""
    image: Annotated[Text, doc("Its image, which exists in the engine or can be pulled.")]
    environment: Annotated[Environment, doc("Its environment variables.")] = ()
    command: Annotated[
        tuple[str, ...], doc("Arguments to its entry point. Empty: those of the image.")
    ] = ()
    port: Annotated[
        Port | None,
        doc("The port that must accept before anything else starts. None: those of EXPOSE."),
    ] = None


@dataclass(frozen=True, kw_only=True)
class AppEnvironment:
    """What the cells of an app provide in addition to the app itself.

    In the values of ``environment`` and the words of ``setup``, ``{writable}`` and ``{secrets}``
    are the cell's directories, and ``{python}`` is its interpreter.
    """

    environment: Annotated[
        Environment,
        doc(
            "Environment variables; {writable}, {secrets} and {python} are the cell's directories "
            "and interpreter."
        ),
    ] = ()
    secrets: Annotated[
        tuple[tuple[str, Path], ...],
        written_as(dict[_Secret, ExistingFile], pairs),
        doc("Files by name, whose content the cell gets as /run/secrets/NAME."),
    ] = ()
    setup: Annotated[
        tuple[Command, ...],
        doc("Commands to run in the app's directory, in order, before the server starts."),
    ] = ()
    writable: Annotated[
        str,
        written_as(
            Annotated[
                str,
                expect(
                    'an absolute path such as "/data" (letters, digits, _ . -)',
                    pattern=whole(r"(/(?!\.\.(/|$))[A-Za-z0-9_.-]+)+"),
                ),
            ],
            _own_directory,
        ),
        doc("An absolute path that the app can write to: an empty directory for each cell."),
    ] = ""
    services: Annotated[
        tuple[Service, ...],
        written_as(dict[_Host, Service], values),
        doc("Containers that run with the server, by their host names.", was="beside"),
    ] = ()
    ready_path: Annotated[
        str,
        written_as(
            Annotated[str, expect("a path such as /health", pattern=whole(r"/[\x21-\x7e]*"))]
        ),
        doc(
            "Wait with the first request until GET of this path returns ready_status.",
            was={"ready": 'use ready_path = "/health", and ready_status if it is not 200'},
        ),
    ] = ""
    ready_status: Annotated[int, between(100, 599), doc("The status of ready_path.")] = 200

    @property
    def ready_request(self) -> bytes:
        """The octets of the request for ``ready_path``."""
        return f"GET {self.ready_path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

    def filled(self, text: str, *, writable: str, secrets: str, python: str) -> str:
        """``text`` with its three placeholders replaced; other braces are left unchanged."""
        text = text.replace("{writable}", writable).replace("{secrets}", secrets)
        return text.replace("{python}", python)

    def commands(self, **directories: str) -> tuple[tuple[str, ...], ...]:
        """The setup commands. ``python`` as the first word is the cell's interpreter."""
        return tuple(
            tuple(
                directories["python"]
                if number == 0 and word in ("python", "python3")
                else self.filled(word, **directories)
                for number, word in enumerate(words)
            )
            for words in self.setup
        )

    def variables(self, **directories: str) -> dict[str, str]:
        """The environment variables, with placeholders replaced."""
        return STEADY | {
            name: self.filled(value, **directories) for name, value in self.environment
        }

    def names(self, place: str) -> bool:
        """Whether a variable or setup command contains ``{place}``."""
        words = [value for _, value in self.environment]
        words += [word for command in self.setup for word in command]
        return any("{" + place + "}" in word for word in words)
