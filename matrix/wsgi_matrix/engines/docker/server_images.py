"""Images of servers, built from a context with only the files that its ignore file allows."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import docker
from docker.errors import APIError, DockerException
from docker.utils.build import exclude_paths

from wsgi_matrix.engines.docker.base_images import Base, pull
from wsgi_matrix.engines.docker.client import CONTENT, LABEL, inspect_image
from wsgi_matrix.errors import SetupError
from wsgi_matrix.model.axes import Server
from wsgi_matrix.model.results import Image
from wsgi_matrix.util.file_lock import exclusive


def ensure_image(
    client: docker.APIClient,
    server: Server,
    base: Base,
    *,
    tag: str,
    phase: Callable[[str, str], None],
    root: Path,
    builder: Base | None = None,
    parts: Mapping[str, Path] | None = None,
) -> Image:
    """The image of ``server`` on ``base``, built unless one with the same content exists.

    ``tag``: short name of the base's Python, for the image's name. ``builder``: the image that its
    Dockerfile gets as ``BUILDER``; ``parts``: files of the context from outside its directory.
    Raises :class:`SetupError`.
    """
    context = {**context_files(server), **(parts or {})}
    bases = {"BASE": base, **({"BUILDER": builder} if builder else {})}
    digest = _digest(server, bases, context)
    name = f"wsgi-matrix-server:{server.name}-{tag}-{digest[:12]}"
    found = inspect_image(client, name)
    if found is None:
        with exclusive(root / "locks" / f"image-{server.name}-{tag}.lock"):
            found = inspect_image(client, name)
            if found is None:
                phase("images", f"building {server.name} on {base.reference}")
                labels = {LABEL: "image", CONTENT: digest}
                _build(client, server, bases, context_archive(context), name=name, labels=labels)
                found = inspect_image(client, name)
    if found is None:
        raise SetupError(f"server {server.name}: the engine has lost its image {name}")
    return Image(id=found["Id"], server_layer=found["RootFS"]["Layers"][-1], base=base.source)


def existing_image(client: docker.APIClient, whose: str, name: str) -> Image:
    """The image ``name``, which was not built here: it exists already, or is pulled.

    Raises :class:`SetupError`.
    """
    if "@" not in name and ":" not in name.rpartition("/")[2]:
        name += ":latest"
    found = inspect_image(client, name)
    if found is None and pull(name):
        found = inspect_image(client, name)
    if found is None:
        raise SetupError(
            f"{whose}: the engine has no image {name} and cannot pull it; "
            "build or load it there (`docker images` lists the existing ones)"
        )
    return Image(id=found["Id"], server_layer=found["RootFS"]["Layers"][-1], base=name)


def context_files(server: Server) -> dict[str, Path]:
    """The files for a build of ``server``, by name in the context. Raises :class:`SetupError`."""
    top = server.context
    if not (top / server.dockerfile).is_file():
        raise SetupError(f"server {server.name}: no such file: {top / server.dockerfile}")
    try:
        lines = (top / ".dockerignore").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    names = exclude_paths(str(top), patterns, dockerfile=server.dockerfile)
    return {name: top / name for name in sorted(names) if (top / name).is_file()}


def context_archive(context: dict[str, Path]) -> bytes:
    """The context as a tar archive: the same bytes for the same names and content."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, path in context.items():
            content = path.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return target.getvalue()


def _digest(server: Server, bases: dict[str, Base], context: dict[str, Path]) -> str:
    ids = [base.id for base in bases.values()]
    result = hashlib.sha256(repr((*ids, server.dockerfile)).encode())
    result.update(context_archive(context))
    return result.hexdigest()


def _build(
    client: docker.APIClient,
    server: Server,
    bases: dict[str, Base],
    archive: bytes,
    *,
    name: str,
    labels: dict[str, str],
) -> None:
    """Build with the classic builder, which every engine has without a plug-in."""
    said: list[str] = []
    try:
        for event in client.build(
            fileobj=io.BytesIO(archive),
            custom_context=True,
            dockerfile=server.dockerfile,
            tag=name,
            buildargs={name: base.reference for name, base in bases.items()},
            labels=labels,
            network_mode="none",  # a build without network is the same everywhere
            rm=True,
            forcerm=True,
            decode=True,
        ):
            said.append(str(event.get("stream", "")))
            if "error" in event:
                raise SetupError(
                    f"server {server.name}: its image could not be built from "
                    f"{server.context / server.dockerfile}: {event['error'].strip()}; "
                    f"the builder's last output: {_tail(said)}"
                )
    except (APIError, DockerException) as error:
        raise SetupError(f"server {server.name}: its image could not be built: {error}") from error


def _tail(said: list[str]) -> str:
    return " | ".join("".join(said).split("\n")[-6:]).strip(" |")
