"""The connection to a Docker engine, and the labels of what wsgi-matrix creates in it.

Every object has ``LABEL``; a container or an incomplete volume also has the process that created
it, so that leftovers of dead runs can be distinguished from what a running one needs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import docker
from docker.context import ContextAPI
from docker.errors import DockerException, ImageNotFound
from docker.tls import TLSConfig
from docker.types import Ulimit
from docker.utils import kwargs_from_env

from wsgi_matrix.engines.docker.ssh_tunnel import forwarded
from wsgi_matrix.errors import EngineError

LABEL = "org.onegate.wsgi-matrix"
"""Its value is the kind of object: ``cell``, ``probe``, ``fill``, ``bundle``, ``image``, …"""
RUN = LABEL + ".run"
CELL = LABEL + ".cell"
OWNER = LABEL + ".owner"
CONTENT = LABEL + ".content"
KEEP = LABEL + ".keep"
"""On preserved containers (``--keep``), which only the command ``clean`` removes."""

OLDEST_API = (1, 40)
"""Docker 19.03, of 2019: the first with everything that cells need."""

HIGH = 4096
"""A limit for where none is requested but one has to be set."""

TIMEOUT = 120
"""Seconds for one response of the engine; a busy disk makes creating and removing slow."""

WHAT_TO_DO = "start one (`make engine` on Debian and Ubuntu), or use --engine process"


class PodmanClient(docker.APIClient):
    """A client for Podman's Docker API, where that differs from Docker's."""

    made = frozenset({"/etc"})
    """Directories in the root that the engine changes: it puts its own ``hosts`` there."""

    def create_container_from_config(self, config: Any, *args: Any, **kwargs: Any) -> Any:
        """Like Docker's, but RLIMIT_NOFILE and RLIMIT_NPROC are always both set.

        Podman sets a missing one to 1048576, which it may not be permitted to do.
        """
        host = config.setdefault("HostConfig", None) or {}
        given = host.get("Ulimits") or []
        named = {each["Name"] for each in given}
        missing = [name for name in ("nofile", "nproc") if name not in named]
        high = [Ulimit(name=name, soft=HIGH, hard=HIGH) for name in missing]
        config["HostConfig"] = {**host, "Ulimits": [*given, *high]}
        make = super().create_container_from_config
        return make(config, *args, **kwargs)  # type: ignore[no-untyped-call] # stub has no types


def engine_name(version: Mapping[str, Any]) -> str:
    """``Docker`` or ``Podman``, from the response to ``GET /version``."""
    names = {part.get("Name", "") for part in version.get("Components") or ()}
    return "Podman" if "Podman Engine" in names else "Docker"


def connect(timeout: int = TIMEOUT) -> docker.APIClient:
    """Connect to the engine that the ``docker`` command would use.

    That is DOCKER_HOST (with DOCKER_TLS_VERIFY and DOCKER_CERT_PATH), else DOCKER_CONTEXT or the
    current context, else the local socket. ``timeout``: seconds for one response.
    Raises :class:`EngineError`.
    """
    where = "the local socket"
    try:
        base_url, tls, where = _endpoint()
        client = docker.APIClient(
            base_url=base_url, tls=tls or False, version="auto", timeout=timeout
        )
        told = client.version()
        version, system = client.api_version, told.get("Os", "linux")
    except (DockerException, OSError, ValueError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EngineError(f"no Docker engine responds at {where} ({said}); {WHAT_TO_DO}") from error
    if tuple(int(part) for part in version.split(".")) < OLDEST_API:
        raise EngineError(
            f"the Docker engine at {where} has API {version}, but at least 1.40 (Docker 19.03) "
            "is required; update it, or use --engine process"
        )
    if system != "linux":
        raise EngineError(
            f"the Docker engine at {where} runs {system} containers; switch it to Linux ones"
        )
    if engine_name(told) == "Podman":
        client.close()
        return PodmanClient(base_url=base_url, tls=tls or False, version=version, timeout=timeout)
    return client


def _endpoint() -> tuple[str | None, TLSConfig | None, str]:
    """Address, TLS settings, and the address for messages."""
    if host := os.environ.get("DOCKER_HOST"):
        settings = kwargs_from_env()
        return _reached(settings.get("base_url")), settings.get("tls"), f"DOCKER_HOST={host}"
    # The SDK's clients do not read contexts, and nothing in it reads DOCKER_CONTEXT.
    name = os.environ.get("DOCKER_CONTEXT")
    context = ContextAPI.get_context(name) if name else ContextAPI.get_current_context()
    if context is None:
        raise ValueError("the current docker context does not exist; see `docker context ls`")
    if context.name == "default":
        return None, None, "the local socket"
    return _reached(context.Host), context.TLSConfig, f"{context.Host} (context {context.name})"


def _reached(address: str | None) -> str | None:
    """``address``, or for ``ssh://…`` that of a local socket forwarded to it."""
    return forwarded(address) if address and address.startswith("ssh://") else address


def inspect_image(client: docker.APIClient, name: str) -> dict[str, Any] | None:
    """What the engine knows about the image ``name``; ``None`` if it does not exist."""
    try:
        return dict(client.inspect_image(name))  # type: ignore[no-untyped-call] # stub has no types
    except ImageNotFound:
        return None
