"""Removes leftovers of dead runs from the engine, identified only by wsgi-matrix's labels."""

from __future__ import annotations

import docker
from docker.errors import APIError

from wsgi_matrix.engines.docker.client import KEEP, LABEL, OWNER
from wsgi_matrix.engines.docker.containers import remove_containers
from wsgi_matrix.engines.docker.volumes import discard, is_complete, is_mark, ours
from wsgi_matrix.util.process_owner import is_alive


def clean(client: docker.APIClient, *, kept: bool = False) -> int:
    """Remove containers and incomplete volumes whose owner is dead; return their number.

    Preserved containers are only removed with ``kept``. What a live run owns stays, as do
    images and complete volumes, which are the cache.
    """
    count = 0
    # A container inherits the labels of its image, so LABEL alone may be on one that a user started
    # from an image of wsgi-matrix. OWNER is only on what wsgi-matrix started.
    for found in client.containers(all=True, filters={"label": [LABEL, OWNER]}):
        labels = found["Labels"]
        if not is_alive(labels.get(OWNER, "")) and (kept or KEEP not in labels):
            remove_containers(client, [found["Id"]])
            count += 1
    volumes = ours(client)
    for name, volume in volumes.items():
        whole = is_mark(volume) or is_complete(volumes, name)
        if not whole and not is_alive((volume["Labels"] or {}).get(OWNER, "")):
            try:
                discard(client, name)
            except APIError as error:
                if error.status_code != 409:  # in use: another run is filling it again
                    raise
            else:
                count += 1
    return count


def remove_volumes(client: docker.APIClient) -> int:
    """Remove all of wsgi-matrix's volumes that no container uses; return their number."""
    count = 0
    for name in ours(client):
        try:
            discard(client, name)
        except APIError as error:
            if error.status_code != 409:  # in use
                raise
        else:
            count += 1
    return count
