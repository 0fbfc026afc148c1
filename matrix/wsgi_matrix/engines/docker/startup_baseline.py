"""Measures the minimum times of a cell on this host: the baseline for the wall time of cells."""

from __future__ import annotations

import statistics
import time

import docker

from wsgi_matrix.engines.docker.cell_provisioning import ENVIRONMENT
from wsgi_matrix.engines.docker.client import LABEL
from wsgi_matrix.engines.docker.containers import remove_containers
from wsgi_matrix.engines.docker.prepare import Parts
from wsgi_matrix.engines.docker.volumes import MOUNT
from wsgi_matrix.errors import CellError
from wsgi_matrix.model import app_import_string
from wsgi_matrix.model.axes import Cell

REPEAT = 3
DEADLINE = 60.0
"""Seconds for one container."""

IMPORT = """
import sys, time
began = time.perf_counter()
__import__(sys.argv[1])
print(time.perf_counter() - began)
"""


def measure(
    client: docker.APIClient, cell: Cell, parts: Parts, labels: dict[str, str]
) -> dict[str, float]:
    """Median seconds of ``docker run --rm --entrypoint true IMAGE`` and of importing the app."""
    labels = {**labels, LABEL: "baseline"}
    times = []
    for _ in range(REPEAT):
        began = time.monotonic()
        _run(client, client.create_container(parts.image.id, entrypoint=["true"], labels=labels))
        times.append(time.monotonic() - began)
    imports = []
    for _ in range(REPEAT):
        container = client.create_container(
            parts.image.id,
            entrypoint=[
                "python3",
                "-c",
                IMPORT,
                app_import_string.loaded(cell.app.target).partition(":")[0],
            ],
            environment=ENVIRONMENT,
            labels=labels,
            host_config=client.create_host_config(
                network_mode="none",
                read_only=True,
                binds={parts.bundle_volume: {"bind": MOUNT, "mode": "ro"}},
            ),
        )
        imports.append(float(_run(client, container).split()[-1]))
    return {"container": statistics.median(times), "import": statistics.median(imports)}


def _run(client: docker.APIClient, created: dict[str, str]) -> str:
    """Start, wait, read the output, remove."""
    container = created["Id"]
    try:
        client.start(container)
        until = time.monotonic() + DEADLINE
        while (state := client.inspect_container(container)["State"])["Running"]:
            if time.monotonic() > until:
                raise CellError(f"a container that does nothing took more than {DEADLINE:.0f} s")
            time.sleep(0.002)
        output = client.logs(container, stderr=False).decode("utf-8", "replace")
        if state["ExitCode"]:
            raise CellError("the baseline could not be measured", output, state["ExitCode"])
        return str(output)
    finally:
        remove_containers(client, [container])
