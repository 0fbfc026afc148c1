"""The settings in ``[suites.traffic]``, and the same options of ``wsgi-matrix try``."""

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
    """What is sent to the user's apps, and how their responses are compared."""

    send: Annotated[
        tuple[str, ...],
        doc("Paths of the app, and traffic files: .http, HAR, OpenAPI, .txt."),
    ] = ()
    ignore: Annotated[
        tuple[str, ...],
        doc(
            "Values to ignore in the comparison: header:NAME, cookie:NAME, json:$.PATH, "
            "regex:EXPRESSION."
        ),
    ] = ()
    capture: Annotated[
        tuple[str, ...],
        doc("Values of responses that replace {{NAME}} in later requests: NAME=regex:…."),
    ] = ()
    header: Annotated[tuple[str, ...], doc("Header fields of all requests: NAME: VALUE.")] = ()
    var: Annotated[
        tuple[str, ...], doc("Values that replace {{NAME}} in traffic: NAME=VALUE.")
    ] = ()
    http_env: Annotated[
        Text, doc("The environment in http-client.env.json that variables come from.")
    ] = ""
    allow_status: Annotated[tuple[str, ...], doc('5xx statuses to accept, such as "503".')] = ()
    host: Annotated[Text, doc("The Host of all requests. None: that of the traffic.")] = ""
    largest: Annotated[
        int,
        written_as(Octets, _bounded),
        doc('The maximum size of a response, such as "16MiB"; at most 64MiB.'),
    ] = 16 * 2**20
    patience: Annotated[Seconds, doc("Timeout of a response in seconds.")] = 10.0


def of(config: Config) -> TrafficSettings:
    """The settings in ``config``; without the table, the defaults."""
    there = (each for each in config.suites.values() if isinstance(each, TrafficSettings))
    return next(there, TrafficSettings())
