"""The suite ``contract``: what ``apps/contract.toml`` says every app answers.

The file is read once; the requests that are sent, what is accepted, and the table in the docs come
from it. Every GET is sent as HEAD too (RFC 9110 section 9.3.2), every path is asked with OPTIONS.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from wsgi_matrix.errors import ConfigError
from wsgi_matrix.http.normalise import RULES
from wsgi_matrix.model.matrix_config import Config, SuiteSettings
from wsgi_matrix.model.results import Level, Outcome
from wsgi_matrix.suites import cell_checks
from wsgi_matrix.suites.api import Suite, SuiteType
from wsgi_matrix.suites.case import Case, Evidence, Verdict
from wsgi_matrix.suites.contract import cell_comparison
from wsgi_matrix.suites.contract.accepted_responses import fault
from wsgi_matrix.suites.contract.contract_file import Asked, load
from wsgi_matrix.util.schema_types import FilePath, Text, doc

NAME = "contract"
PATIENCE = 5.0
"""Seconds for one exchange: a server that hangs must not take the others' time."""


@dataclass(frozen=True, kw_only=True)
class ContractSettings(SuiteSettings):
    """The exchanges that every app answers, and whom responses are compared with."""

    contract: Annotated[FilePath | None, doc("The file of the exchanges.")] = None
    reference_app: Annotated[
        Text, doc("The app whose responses those of the others are compared with.")
    ] = ""
    reference_server: Annotated[
        Text, doc("The server whose responses those of the others are compared with.")
    ] = ""


def judge(asked: Asked, evidence: Evidence) -> Verdict:
    """Whether the answer is one of those that the contract accepts."""
    exchange = next(iter(evidence.exchanges[asked.name]), None)
    if exchange is None:
        return Outcome.ERROR, "it was not sent"
    said = fault(exchange, asked.method, asked.accept, asked.joined)
    broken = Outcome.DIFFER if asked.level is Level.MAY else Outcome.FAIL
    return (broken, said) if said else (Outcome.PASS, "")


def suite(config: Config) -> Suite:
    """The suite, from the table ``[suites.contract]``. Raises :class:`ConfigError`."""
    settings = config.suites.get(NAME)
    if not isinstance(settings, ContractSettings) or settings.contract is None:
        raise ConfigError(f"{config.file}: suites.{NAME}.contract names no file")
    endpoints = load(settings.contract)
    asked = {each.name: each for endpoint in endpoints for each in endpoint.asked}
    cases = tuple(
        Case(
            id=each.name,
            level=each.level,
            says=f"{each.method} {each.target}: {' or '.join(map(str, each.accept))}",
            judge=partial(judge, each),
            evidence=(each.name,),
        )
        for each in asked.values()
    )
    return Suite(
        name=NAME,
        requests={name: each.request for name, each in asked.items()},
        cases=(*cell_checks.ALWAYS, *cases),
        compare=partial(
            cell_comparison.compare,
            asked=asked,
            reference_app=settings.reference_app,
            reference_server=settings.reference_server,
        ),
        repeat=1,
        burst=False,
        sources=(settings.contract,),
        patience=PATIENCE,
        notes=("Before answers are compared:", *(f"  {rule.id}: {rule.says}" for rule in RULES)),
    )


TYPE = SuiteType(
    name=NAME,
    about="All that an app has to answer, compared over the apps and over the servers.",
    title="The contract of the apps",
    caption="Checks of all exchanges, compared over apps and servers, by their outcome.",
    build=suite,
    settings=ContractSettings,
)
