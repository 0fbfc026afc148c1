"""The harness's side of the probe: its archive, its job, and the reading of what it printed."""

from __future__ import annotations

import base64
import functools
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from wsgi_matrix.model import Burst, Exchange
from wsgi_matrix.probe.agent.answer import mask_date

__all__ = ["Report", "archive", "job", "mask_date", "read"]

_MAIN = b"import sys\nfrom agent.main import main\nsys.exit(main())\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@functools.cache
def archive() -> bytes:
    """The probe as one zipapp for ``python3 -I -S``; the same bytes for the same source."""
    files = {"__main__.py": _MAIN}
    for item in resources.files(__package__).joinpath("agent").iterdir():
        if item.name.endswith(".py"):
            files["agent/" + item.name] = item.read_bytes()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as pack:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = 0o100644 << 16
            info.create_system = 3
            pack.writestr(info, files[name])
    return target.getvalue()


def job(
    requests: Sequence[bytes],
    *,
    port: int,
    repeat: int,
    clients: int,
    deadline: float,
    rounds: int = 1,
    host: str = "127.0.0.1",
    ready_deadline: float | None = None,
    patience: float | None = None,
) -> bytes:
    """The line for the probe's stdin. Times in seconds.

    One exchange may take ``patience``, or else a share of ``deadline`` only, so that one hanging
    path still leaves time to see how the others, and the burst, behave.
    """
    value = {
        "host": host,
        "port": port,
        "ready_deadline": deadline if ready_deadline is None else ready_deadline,
        "requests": [base64.b64encode(request).decode("ascii") for request in requests],
        "repeat": repeat,
        "clients": clients,
        "rounds": rounds,
        "deadline": deadline,
        "patience": patience or min(10.0, deadline / (len(requests) + 2)),
        # A port may be open while the app is still imported: the first answer waits for both.
        "first": deadline / 2 if patience else min(10.0, deadline / (len(requests) + 2)),
    }
    return json.dumps(value).encode("ascii") + b"\n"


@dataclass(frozen=True, kw_only=True)
class Report:
    """All that one run of the probe told. ``unready``: why the port never answered; else empty."""

    unready: str = ""
    ready_seconds: float = 0.0
    exchanges: list[list[Exchange]] = field(default_factory=list)
    burst: Burst | None = None
    zombies: tuple[int, ...] = ()


def read(output: bytes, requests: Sequence[bytes]) -> Report:
    """Understand the probe's stdout.

    Raises ``ValueError`` for anything else than the lines of a probe that came to its end or
    found the port unready: a probe cut short must not look like a quiet one.
    """
    exchanges: list[list[Exchange]] = [[] for _ in requests]
    unready, ready_seconds, burst, seen = "", 0.0, None, None
    for line in output.splitlines():
        value: dict[str, Any] = json.loads(line)
        match value.get("event"):
            case "unready":
                unready = str(value["error"])
            case "ready":
                ready_seconds = float(value["seconds"])
            case "exchange":
                number = int(value["request"])
                exchanges[number].append(
                    Exchange(
                        request=requests[number],
                        response=base64.b64decode(value["response"]),
                        seconds=float(value["seconds"]),
                        error=str(value["error"]),
                        end=str(value["end"]),
                    )
                )
            case "burst":
                burst = _burst(value)
            case "seen":
                seen = tuple(value["zombies"] or ())
            case other:
                raise ValueError(f"unknown event of the probe: {other!r}")
    if not unready and seen is None:
        raise ValueError("the probe ended before it had told everything")
    return Report(
        unready=unready,
        ready_seconds=ready_seconds,
        exchanges=exchanges,
        burst=burst,
        zombies=seen or (),
    )


def _burst(value: dict[str, Any]) -> Burst:
    return Burst(
        clients=int(value["clients"]),
        together=int(value["together"]),
        answers={base64.b64decode(text): int(count) for text, count in value["answers"]},
        errors={str(text): int(count) for text, count in value["errors"].items()},
        seconds=float(value["seconds"]),
    )
