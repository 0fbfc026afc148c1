"""Tests which limits a Docker engine enforces: each is set in a container and read back."""

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
from wsgi_matrix.engines.docker.containers import remove_containers
from wsgi_matrix.engines.doctor import NOFILE, NPROC, Finding
from wsgi_matrix.util.process_owner import owner

PIDS, MEMORY = 16, 64 * 2**20
UID = 59_998
"""A user that no cell has (:data:`.engine.UIDS`), because RLIMIT_NPROC counts per uid."""
DEADLINE = 60.0
"""Seconds for one container."""


@dataclass(frozen=True)
class Ended:
    """A container that exited: the JSON that it printed, if any, and its state."""

    report: dict[str, Any] | None
    state: dict[str, Any]
    said: str

    def __getitem__(self, key: str) -> Any:
        """A value of the report; ``None`` if it is missing."""
        return (self.report or {}).get(key)


class DockerDoctor:
    """Tests everything that cells rely on, on one engine. ``image``: any with a Python 3."""

    def __init__(self, client: docker.APIClient, image: str) -> None:
        self._client, self._image = client, image
        self._labels = {LABEL: "doctor", OWNER: owner()}

    def findings(self) -> Iterator[Finding]:
        """Yield findings one at a time. An error of the engine is a finding too."""
        for what, requested, examine in (
            ("nofile", f"{NOFILE}, soft and hard", self._nofile),
            ("nproc", f"{NPROC} for a dedicated user", self._nproc),
            ("pids", f"{PIDS} in the container", self._pids),
            ("memory", f"{MEMORY >> 20} MiB", self._memory),
            ("memory, reported", "the engine reports why it exited", self._memory_reported),
            ("read-only", "the root cannot be written", self._readonly),
            ("no-new-privileges", "set, without capabilities", self._privileges),
            ("init", "process 1 reaps orphans", self._init),
            ("shared network", "loopback of another container", self._network),
        ):
            try:
                observed, holds = examine()
            except (DockerException, OSError, ValueError, TimeoutError) as error:
                text = str(getattr(error, "explanation", None) or error)
                observed, holds = f"refused: {text.strip()}", False
            yield Finding(what, requested, observed, holds)

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
        if end.report is not None:
            return f"{end['filled'] >> 20} MiB were filled", False
        return f"killed, exit status {end.state['ExitCode']}", end.state["ExitCode"] == 137

    def _memory_reported(self) -> tuple[str, bool]:
        end = self._run("memory", str(MEMORY), mem_limit=MEMORY, memswap_limit=MEMORY)
        return f"OOMKilled: {end.state['OOMKilled']}", bool(end.state["OOMKilled"])

    def _readonly(self) -> tuple[str, bool]:
        end = self._run("readonly", read_only=True)
        return _said(end, "writing fails with {refused}"), end["refused"] == "EROFS"

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
            remove_containers(self._client, [server])
        interfaces = ", ".join(here["interfaces"] or ["unknown interfaces"])
        return _said(end, "received {received!r} over " + interfaces), end["received"] == "a word"

    def _run(self, name: str, value: str = "", *, user: int = 0, **host: Any) -> Ended:
        container = self._create(name, value, user=user, **host)
        try:
            self._client.start(container)
            return self._ended(container)
        finally:
            remove_containers(self._client, [container])

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
                raise TimeoutError(f"a container did not exit within {DEADLINE:.0f} s")
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
    """``text`` with the values of the report, or else the last line of the output."""
    if end.report is None:
        last = end.said.strip().splitlines()[-1:] or ["no output"]
        return f"exit status {end.state['ExitCode']}: {last[0]}"
    return text.format_map(end.report)
