"""What an app needs around it: variables, secrets, a set-up command, a folder, a database.

A cell has them anew each time, so that no cell sees what another has left.
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
"""Where secrets are in a container, each a file of its name, as Docker and Podman have it."""
STEADY = {"PYTHONHASHSEED": "0"}
"""In every cell: the order of a set, which differs from one process to the next, must not look like
a difference of servers."""


_Host = Annotated[
    str, expect("a-z, 0-9 and - inside", pattern=whole("[a-z0-9]([a-z0-9-]*[a-z0-9])?"))
]
_Secret = Annotated[
    str, expect("letters, digits, _ . -", pattern=whole("[A-Za-z0-9_][A-Za-z0-9_.-]*"))
]


def _own_directory(path: str, _root: Path) -> str:
    if path == "/srv" or path.startswith(("/srv/", "/proc", "/sys", "/dev")):
        raise ValueError("a path that is neither /srv, where the app is, nor the kernel's")
    return path


@dataclass(frozen=True, kw_only=True)
class Service:
    """A container that runs with the server, in its network: a database, say. Containers only."""

    name: TableName
    """The host name by which the app reaches it."""
    image: Annotated[Text, doc("Its image, which the engine has or can pull.")]
    environment: Annotated[Environment, doc("Its environment variables.")] = ()
    command: Annotated[
        tuple[str, ...], doc("Arguments to its entry point. Empty: those of the image.")
    ] = ()
    port: Annotated[
        Port | None,
        doc("The port that has to accept before anything else starts. None: those of EXPOSE."),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """All that a cell of an app has besides the app.

    In the values of ``environment`` and the words of ``setup``, ``{writable}`` and ``{secrets}``
    are the folders of the cell, and ``{python}`` is its interpreter.
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
        doc("By name, the file whose content the cell has as /run/secrets/NAME."),
    ] = ()
    setup: Annotated[
        tuple[Command, ...],
        doc("Commands, run in the app's directory one after another before the server starts."),
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
            "Nothing is sent before GET of this path returns ready_status.",
            was={"ready": 'say ready_path = "/health", and ready_status where that is not 200'},
        ),
    ] = ""
    ready_status: Annotated[int, between(100, 599), doc("The status of ready_path.")] = 200

    @property
    def ready_request(self) -> bytes:
        """The octets that ask for ``ready_path``."""
        return f"GET {self.ready_path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

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
