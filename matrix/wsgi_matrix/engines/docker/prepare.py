"""Prepares cells before they start: images, bundles, and the volumes that hold them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import docker

from wsgi_matrix.engines.docker.base_images import Base, ensure_base
from wsgi_matrix.engines.docker.server_images import ensure_image, existing_image
from wsgi_matrix.engines.docker.volumes import ensure_bundle_volume, ensure_probe_volume
from wsgi_matrix.errors import SetupError
from wsgi_matrix.model.axes import Cell
from wsgi_matrix.model.results import Image
from wsgi_matrix.packaging.bundle import Bundle, ensure_bundle
from wsgi_matrix.packaging.server_dependencies import ensure_parts

PLATFORMS = {"amd64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}
"""uv's platform names by Docker's. The images use glibc."""

Key = TypeVar("Key")
Value = TypeVar("Value")
Phase = Callable[[str, str], None]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The prepared parts of a cell."""

    image: Image
    base: str
    bundle_volume: str
    probe_volume: str
    framework_version: str
    installed: Mapping[str, str]
    """Installed versions by distribution."""


class Prepared:
    """Makes the parts of cells, and provides them afterwards."""

    def __init__(self, client: docker.APIClient, root: Path) -> None:
        """``root``: directory for bundles and locks."""
        self._client, self._root = client, root
        self._bases: dict[str, Base] = {}
        self._parts: dict[tuple[str, str, str], Parts] = {}

    def make(self, cells: Sequence[Cell], phase: Phase) -> None:
        """Make the missing parts of ``cells``. Raises :class:`SetupError`."""
        pythons = {cell.python.version: cell.python for cell in cells}
        self._bases |= _in_parallel(
            pythons, lambda version: ensure_base(self._client, pythons[version], phase, self._root)
        )
        pairs = {(cell.server.name, cell.python.version): cell for cell in cells}
        images = _in_parallel(pairs, lambda pair: self._image(pairs[pair], phase))
        for service in dict.fromkeys(s for cell in cells for s in cell.app.needs.services):
            existing_image(self._client, f"the service {service.name}", service.image)
        phase("bundles", "")
        base = self._bases[next(iter(pythons))]
        probe_volume = ensure_probe_volume(self._client, base.id, self._root)
        apps = {(cell.app.name, cell.python.version): cell for cell in cells}
        bundles = _in_parallel(apps, lambda pair: self._bundle(apps[pair]))
        for cell in cells:
            volume, bundle = bundles[cell.app.name, cell.python.version]
            self._parts[_key(cell)] = Parts(
                image=images[cell.server.name, cell.python.version],
                base=self._bases[cell.python.version].id,
                bundle_volume=volume,
                probe_volume=probe_volume,
                framework_version=bundle.framework_version,
                installed=bundle.versions,
            )

    def of(self, cell: Cell) -> Parts:
        """The parts of ``cell``. Raises :class:`SetupError` if it was not prepared."""
        parts = self._parts.get(_key(cell))
        if parts is None:
            raise SetupError(f"{cell.id} was not prepared")
        return parts

    def _image(self, cell: Cell, phase: Phase) -> Image:
        server, python = cell.server, cell.python
        if server.image:
            return existing_image(self._client, f"server {server.name}", server.image)
        base = self._bases[python.version]
        builder = None
        if server.packages or server.builder:
            base = ensure_base(self._client, python, phase, self._root, server.packages)
        if server.builder:
            builder = ensure_base(self._client, python, phase, self._root, server.builder)
        return ensure_image(
            self._client,
            server,
            base,
            phase=phase,
            tag=python.tag,
            root=self._root,
            builder=builder,
            parts=ensure_parts(server, python, self._root, platform_of(base, server.glibc)),
        )

    def _bundle(self, cell: Cell) -> tuple[str, Bundle]:
        """The name of a bundle's volume, and the bundle."""
        base = self._bases[cell.python.version]
        bundle = ensure_bundle(cell.app, cell.python, self._root, platform_of(base))
        volume = ensure_bundle_volume(self._client, bundle, base.id, self._root)
        return volume, bundle


def _key(cell: Cell) -> tuple[str, str, str]:
    return cell.server.name, cell.app.name, cell.python.version


def platform_of(base: Base, glibc: str = "") -> str:
    """The platform of ``base``, by uv's name, with glibc 2.28 or the given, newer one."""
    platform = PLATFORMS.get(base.architecture)
    if platform is None:
        raise SetupError(
            f"the base image {base.reference} is for {base.architecture}; "
            f"only {' and '.join(PLATFORMS)} are supported"
        )
    if not glibc:
        return platform
    return f"{platform.partition('-')[0]}-manylinux_{glibc.replace('.', '_')}"


def _in_parallel(keys: dict[Key, Any], make: Callable[[Key], Value]) -> dict[Key, Value]:
    """Call ``make`` for each key, two at a time, because the engine's disk is the bottleneck."""
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(keys, pool.map(make, keys), strict=True))
