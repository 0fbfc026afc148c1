"""What ``[suites.traffic]`` says, and the options of ``wsgi-matrix try`` with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from wsgi_matrix.model.matrix_config import Config, SuiteSettings
from wsgi_matrix.probe.agent.response_reader import LARGEST
from wsgi_matrix.util.schema_types import Octets, Seconds, Text, doc, written_as


def _bounded(size: int, _root: Path) -> int:
    if size > LARGEST:
        raise ValueError(f"a size of at most {LARGEST >> 20}MiB")
    return size


@dataclass(frozen=True, kw_only=True)
class TrafficSettings(SuiteSettings):
    """What is sent to apps of one's own, and how their responses are compared."""

    send: Annotated[
        tuple[str, ...],
        doc("Paths of the app, and files of traffic: .http, HAR, OpenAPI, .txt."),
    ] = ()
    ignore: Annotated[
        tuple[str, ...],
        doc(
            "What is left out of the comparison: header:NAME, cookie:NAME, json:$.PATH, "
            "regex:EXPRESSION."
        ),
    ] = ()
    capture: Annotated[
        tuple[str, ...],
        doc("Values of responses that later requests have in place of {{NAME}}: NAME=regex:…."),
    ] = ()
    header: Annotated[tuple[str, ...], doc("Fields of all requests: NAME: VALUE.")] = ()
    var: Annotated[tuple[str, ...], doc("What {{NAME}} in traffic stands for: NAME=VALUE.")] = ()
    http_env: Annotated[
        Text, doc("The environment of http-client.env.json that variables are taken from.")
    ] = ""
    allow_status: Annotated[
        tuple[str, ...], doc('Statuses from 500 that are accepted, such as "503".')
    ] = ()
    host: Annotated[Text, doc("The Host of all requests. None: what the traffic says.")] = ""
    largest: Annotated[
        int,
        written_as(Octets, _bounded),
        doc('The size from which a response is not read on, such as "16MiB"; 64MiB at most.'),
    ] = 16 * 2**20
    patience: Annotated[
        Seconds, doc("Seconds for one response, after which it is not waited for any more.")
    ] = 10.0


def of(config: Config) -> TrafficSettings:
    """Those of ``config``; without its table, those of nobody's traffic."""
    there = (each for each in config.suites.values() if isinstance(each, TrafficSettings))
    return next(there, TrafficSettings())
