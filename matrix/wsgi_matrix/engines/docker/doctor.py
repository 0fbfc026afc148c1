"""What an engine honours here: each limit is tried in a container of its own and read back."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException
from docker.types import LogConfig, Ulimit

from wsgi_matrix.engines import doctor_script
from wsgi_matrix.engines.docker.client import LABEL, OWNER
from wsgi_matrix.engines.docker.containers import end_of
from wsgi_matrix.engines.doctor import NOFILE, NPROC, Finding
from wsgi_matrix.util.process_owner import owner

PIDS, MEMORY = 16, 64 * 2**20
UID = 59_998
"""A user that no cell has (:data:`.engine.UIDS`): RLIMIT_NPROC counts by uid."""
DEADLINE = 60.0
"""Seconds for one container."""


@dataclass(frozen=True)
class Ended:
    """A container that ended: what it printed as JSON (if it did), and its state."""

    told: dict[str, Any] | None
    state: dict[str, Any]
    said: str

    def __getitem__(self, key: str) -> Any:
        """What was told; ``None`` if it was not."""
        return (self.told or {}).get(key)


class DockerDoctor:
    """Tries everything that a cell is made of, on one engine. ``image``: any with a Python 3."""

    def __init__(self, client: docker.APIClient, image: str) -> None:
        self._client, self._image = client, image
        self._labels = {LABEL: "doctor", OWNER: owner()}

    def findings(self) -> Iterator[Finding]:
        """One at a time, as they are found. What the engine refuses is a finding too."""
        for what, asked, examine in (
            ("nofile", f"{NOFILE}, soft and hard", self._nofile),
            ("nproc", f"{NPROC} for a user of its own", self._nproc),
            ("pids", f"{PIDS} in the container", self._pids),
            ("memory", f"{MEMORY >> 20} MiB", self._memory),
            ("memory, told", "the engine says why it ended", self._memory_told),
            ("read-only", "no write into the root", self._readonly),
            ("no-new-privileges", "set, and no capability", self._privileges),
            ("init", "process 1 waits for orphans", self._init),
            ("shared network", "loopback of another container", self._network),
        ):
            try:
                seen, holds = examine()
            except (DockerException, OSError, ValueError, TimeoutError) as error:
                text = str(getattr(error, "explanation", None) or error)
                seen, holds = f"refused: {text.strip()}", False
            yield Finding(what, asked, seen, holds)

    def _nofile(self) -> tuple[str, bool]:
        ulimits = [Ulimit(name="nofile", soft=NOFILE, hard=NOFILE)]
        end = self._run("nofile", ulimits=ulimits)
        holds = end["soft"] == end["hard"] == NOFILE and end["refused"] == "EMFILE"
        return _said(end, "{soft}/{hard}; {opened} opened, then {refused}"), holds

    def _nproc(self) -> tuple[str, bool]:
        ulimits = [Ulimit(name="nproc", soft=NPROC, hard=NPROC)]
        end = self._run("processes", user=UID, ulimits=ulimits)
        holds = end["soft"] == end["hard"] == NPROC and end["refused"] == "EAGAIN"
        holds = holds and end["forked"] < NPROC
        return _said(end, "{soft}/{hard}; {forked} forked, then {refused}"), holds

    def _pids(self) -> tuple[str, bool]:
        end = self._run("processes", user=UID, pids_limit=PIDS)
        holds = end["refused"] == "EAGAIN" and (end["forked"] or PIDS) < PIDS
        return _said(end, "{forked} forked, then {refused}"), holds

    def _memory(self) -> tuple[str, bool]:
        end = self._run("memory", str(MEMORY), mem_limit=MEMORY, memswap_limit=MEMORY)
        if end.told is not None:
            return f"{end['filled'] >> 20} MiB were filled", False
        return f"killed, exit status {end.state['ExitCode']}", end.state["ExitCode"] == 137

    def _memory_told(self) -> tuple[str, bool]:
        end = self._run("memory", str(MEMORY), mem_limit=MEMORY, memswap_limit=MEMORY)
        return f"OOMKilled: {end.state['OOMKilled']}", bool(end.state["OOMKilled"])

    def _readonly(self) -> tuple[str, bool]:
        end = self._run("readonly", read_only=True)
        return _said(end, "a write gives {refused}"), end["refused"] == "EROFS"

    def _privileges(self) -> tuple[str, bool]:
        end = self._run("privileges", cap_drop=["ALL"], security_opt=["no-new-privileges"])
        holds = end["no_new_privs"] == "1" and not end["effective"] and not end["bounding"]
        text = "NoNewPrivs {no_new_privs}, CapEff {effective:x}, CapBnd {bounding:x}"
        return _said(end, text), holds and end["refused"] == "EPERM"

    def _init(self) -> tuple[str, bool]:
        end = self._run("init", init=True)
        holds = end["pid"] != 1 and bool(end["reaped"])
        return _said(end, "process 1 is {first}; orphan reaped: {reaped}"), holds

    def _network(self) -> tuple[str, bool]:
        server = self._create("listen", "", network_mode="none")
        try:
            self._client.start(server)
            end = self._run("connect", network_mode=f"container:{server}")
            here = self._ended(server)
        finally:
            end_of(self._client, [server])
        interfaces = ", ".join(here["interfaces"] or ["unknown interfaces"])
        return _said(end, "heard {heard!r} over " + interfaces), end["heard"] == "a word"

    def _run(self, name: str, value: str = "", *, user: int = 0, **host: Any) -> Ended:
        container = self._create(name, value, user=user, **host)
        try:
            self._client.start(container)
            return self._ended(container)
        finally:
            end_of(self._client, [container])

    def _create(self, name: str, value: str, *, user: int = 0, **host: Any) -> str:
        source = Path(doctor_script.__file__).read_text(encoding="utf-8")
        options = {"network_mode": "none", "log_config": LogConfig(type="json-file"), **host}
        created = self._client.create_container(
            self._image,
            entrypoint=["python3", "-I", "-S", "-c", source, name, value],
            user=f"{user}:{user}",
            labels=self._labels,
            host_config=self._client.create_host_config(**options),
        )
        return str(created["Id"])

    def _ended(self, container: str) -> Ended:
        until = time.monotonic() + DEADLINE
        while (state := self._client.inspect_container(container)["State"])["Running"]:
            if time.monotonic() > until:
                raise TimeoutError(f"a container did not end within {DEADLINE:.0f} s")
            time.sleep(0.02)
        said = self._client.logs(container).decode("utf-8", "replace")
        return Ended(_parsed(said), state, said)


def _parsed(said: str) -> dict[str, Any] | None:
    try:
        value = json.loads(said)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _said(end: Ended, text: str) -> str:
    """``text`` with what was told, or the last line that was said instead."""
    if end.told is None:
        last = end.said.strip().splitlines()[-1:] or ["nothing was said"]
        return f"exit status {end.state['ExitCode']}: {last[0]}"
    return text.format_map(end.told)
