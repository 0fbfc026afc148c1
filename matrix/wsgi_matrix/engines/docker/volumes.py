"""Volumes with a bundle or the probe: filled once for each content, and then read-only.

Volumes rather than bind mounts, because those do not work on a remote engine. A volume's labels
cannot be changed, so a second, empty volume that is created last marks it as complete. Both have
the same random token, so that a volume recreated under that name is not considered complete.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import secrets
import stat
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.types import LogConfig

from wsgi_matrix.engines.docker.client import CONTENT, LABEL, OWNER
from wsgi_matrix.errors import SetupError
from wsgi_matrix.packaging import bundle as bundles
from wsgi_matrix.probe import protocol
from wsgi_matrix.util.file_lock import exclusive
from wsgi_matrix.util.process_owner import owner

MOUNT = "/srv"
"""Mount point of a bundle: a directory that exists in all images, so none is created."""

COMPILE_DEADLINE = 300.0
"""Seconds to compile a bundle; Django takes about five."""

_COMPILE = ["-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash", MOUNT]
_COMPLETE = ".complete"
_TOKEN = LABEL + ".token"
_IN_MEMORY = 16 * 2**20

Pack = Callable[[tarfile.TarFile], None]


def ensure_bundle_volume(
    client: docker.APIClient, bundle: bundles.Bundle, base: str, root: Path
) -> str:
    """The name of the volume with ``bundle``, compiled by the Python of the image ``base``."""
    name = f"wsgi-matrix-{bundle.folder.name}-{hashlib.sha256(base.encode()).hexdigest()[:8]}"
    return _ensure(
        client,
        name,
        base,
        pack=lambda archive: _pack_bundle(archive, bundle),
        command=_COMPILE,
        root=root,
    )


def ensure_probe_volume(client: docker.APIClient, base: str, root: Path) -> str:
    """The name of the volume with the probe as ``probe.pyz``."""
    content = protocol.archive()
    name = f"wsgi-matrix-probe-{hashlib.sha256(content).hexdigest()[:16]}"
    return _ensure(
        client,
        name,
        base,
        pack=lambda archive: _add(archive, "probe.pyz", content),
        command=None,
        root=root,
    )


def is_complete(volumes: dict[str, dict[str, Any]], name: str) -> bool:
    """Whether ``name`` is among ``volumes`` (all with the label, by name) and is complete."""
    mark = volumes.get(name + _COMPLETE)
    return (
        mark is not None
        and name in volumes
        and (mark["Labels"] or {}).get(_TOKEN, "") == (volumes[name]["Labels"] or {}).get(_TOKEN)
    )


def ours(client: docker.APIClient) -> dict[str, dict[str, Any]]:
    """All volumes with wsgi-matrix's label, by name."""
    found = client.volumes(filters={"label": LABEL})["Volumes"] or []
    return {volume["Name"]: volume for volume in found}


def is_mark(volume: dict[str, Any]) -> bool:
    """Whether ``volume`` only marks another one as complete."""
    return str(volume["Name"]).endswith(_COMPLETE)


def discard(client: docker.APIClient, name: str) -> None:
    """Remove the mark of a volume, and then the volume."""
    for each in (name + _COMPLETE, name):
        with contextlib.suppress(NotFound):
            client.remove_volume(each)


def _ensure(
    client: docker.APIClient,
    name: str,
    base: str,
    *,
    pack: Pack,
    command: list[str] | None,
    root: Path,
) -> str:
    """Create and fill the volume ``name`` unless it exists and is complete."""
    if is_complete(ours(client), name):
        return name
    with exclusive(root / "locks" / f"{name}.lock"):
        if is_complete(ours(client), name):
            return name
        labels = {LABEL: "bundle", OWNER: owner(), _TOKEN: secrets.token_hex(8)}
        try:
            discard(client, name)
            client.create_volume(name, labels=labels)
            _fill(client, name, base, pack, command)
            client.create_volume(name + _COMPLETE, labels=labels)
        except (DockerException, OSError, SetupError) as error:
            _try_to_discard(client, name)
            raise SetupError(f"volume {name} could not be filled: {said(error)}") from error
    return name


def _fill(
    client: docker.APIClient, name: str, base: str, pack: Pack, command: list[str] | None
) -> None:
    """Unpack into the volume through a container of ``base`` and run ``command`` there."""
    container = client.create_container(
        base,
        entrypoint=["python3", "-I", "-S"],
        command=command or ["-c", ""],
        user="0",
        labels={LABEL: "fill", OWNER: owner(), CONTENT: name},
        network_disabled=True,
        host_config=client.create_host_config(
            binds={name: {"bind": MOUNT, "mode": "rw"}},
            network_mode="none",
            read_only=True,
            tmpfs={"/tmp": ""},  # noqa: S108 - inside the container, and empty
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            log_config=LogConfig(type="json-file"),
        ),
    )["Id"]
    try:
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
                pack(archive)
            file.seek(0)
            client.put_archive(container, MOUNT, file)
        if command is not None:
            _run(client, container)
    finally:
        client.remove_container(container, force=True)


def _run(client: docker.APIClient, container: str) -> None:
    client.start(container)
    deadline = time.monotonic() + COMPILE_DEADLINE
    while (state := client.inspect_container(container)["State"])["Running"]:
        if time.monotonic() > deadline:
            raise SetupError(f"compiling took more than {COMPILE_DEADLINE:.0f} s")
        time.sleep(0.02)
    said = client.logs(container, tail=20).decode("utf-8", "replace")
    # compileall exits with 1 for a module that does not compile, which is ignored: packages contain
    # templates and files for other Pythons. A full disk is an error.
    if state["ExitCode"] not in (0, 1) or "Errno 28" in said:
        raise SetupError(f"compiling failed with exit status {state['ExitCode']}: {said[-500:]}")


def _pack_bundle(archive: tarfile.TarFile, bundle: bundles.Bundle) -> None:
    for name in ("app", "own", "lib"):  # created even if they are empty
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(entry)
    for name, folder in (("app", bundle.app), ("own", bundle.own), ("lib", bundle.lib)):
        for path in bundles.files(folder):
            # Only the engine can reach its volumes, and a cell's user is not the files' owner.
            mode = 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644
            _add(archive, f"{name}/{path.relative_to(folder)}", path.read_bytes(), mode)


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def _try_to_discard(client: docker.APIClient, name: str) -> None:
    # The first error must be reported; `clean` finds the volume by its label.
    with contextlib.suppress(DockerException, OSError):
        discard(client, name)


def said(error: Exception) -> str:
    """The engine's error message; for a full disk, what to do."""
    text = error.explanation if isinstance(error, APIError) and error.explanation else str(error)
    if "no space left" in text.lower() or "Errno 28" in text:
        return "the engine's disk is full; free some space there and run again"
    return text
