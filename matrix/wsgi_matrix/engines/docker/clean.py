"""Removes what dead runs left in the engine, known by our label and by nothing else."""

from __future__ import annotations

import docker
from docker.errors import APIError

from wsgi_matrix.engines.docker.client import KEEP, LABEL, OWNER
from wsgi_matrix.engines.docker.containers import end_of
from wsgi_matrix.engines.docker.volumes import discard, is_complete, is_mark, ours
from wsgi_matrix.util.process_owner import is_alive


def clean(client: docker.APIClient, *, kept: bool = False) -> int:
    """Remove containers, and volumes that were not filled to their end, whose maker is dead.

    What was kept on request is removed only with ``kept``. What a living run made stays, and so do
    images and complete volumes: they are the cache. Returns how many were removed.
    """
    count = 0
    # A container has its image's labels too, so LABEL alone may stand on one that people started
    # from an image of ours. OWNER is on nothing but what we started.
    for found in client.containers(all=True, filters={"label": [LABEL, OWNER]}):
        labels = found["Labels"]
        if not is_alive(labels.get(OWNER, "")) and (kept or KEEP not in labels):
            end_of(client, [found["Id"]])
            count += 1
    volumes = ours(client)
    for name, volume in volumes.items():
        whole = is_mark(volume) or is_complete(volumes, name)
        if not whole and not is_alive((volume["Labels"] or {}).get(OWNER, "")):
            try:
                discard(client, name)
            except APIError as error:
                if error.status_code != 409:  # in use: somebody is about to fill it again
                    raise
            else:
                count += 1
    return count


def remove_volumes(client: docker.APIClient) -> int:
    """Remove all volumes of ours that no container uses: they are made anew. How many."""
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
