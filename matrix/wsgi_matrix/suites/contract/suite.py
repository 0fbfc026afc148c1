"""The suite ``contract``: the responses of every app according to ``apps/contract.toml``.

The file is read once; requests, accepted responses and the table in the documentation come from it.
Every GET is also sent as HEAD (RFC 9110 section 9.3.2), and OPTIONS is sent to every path.
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
from wsgi_matrix.suites.contract import reference_comparison
from wsgi_matrix.suites.contract.accepted_responses import fault
from wsgi_matrix.suites.contract.contract_file import ContractExchange, load
from wsgi_matrix.util.schema_types import FilePath, Text, doc

NAME = "contract"
PATIENCE = 5.0
"""Seconds for one exchange, so that one that hangs does not use up the time of others."""


@dataclass(frozen=True, kw_only=True)
class ContractSettings(SuiteSettings):
    """The exchanges with every app, and the references for the comparison."""

    contract: Annotated[FilePath | None, doc("The file with the exchanges.")] = None
    reference_app: Annotated[
        Text, doc("The reference app, whose responses those of other apps are compared with.")
    ] = ""
    reference_server: Annotated[
        Text, doc("The reference server for comparing the responses of servers.")
    ] = ""


def judge(spec: ContractExchange, evidence: Evidence) -> Verdict:
    """Whether the contract accepts the response."""
    exchange = next(iter(evidence.exchanges[spec.name]), None)
    if exchange is None:
        return Outcome.ERROR, "it was not sent"
    said = fault(exchange, spec.method, spec.accept, spec.joined)
    broken = Outcome.DIFFER if spec.level is Level.MAY else Outcome.FAIL
    return (broken, said) if said else (Outcome.PASS, "")


def suite(config: Config) -> Suite:
    """The suite, from the table ``[suites.contract]``. Raises :class:`ConfigError`."""
    settings = config.suites.get(NAME)
    if not isinstance(settings, ContractSettings) or settings.contract is None:
        raise ConfigError(f"{config.file}: suites.{NAME}.contract: no file is set")
    endpoints = load(settings.contract)
    specs = {each.name: each for endpoint in endpoints for each in endpoint.exchanges}
    cases = tuple(
        Case(
            id=each.name,
            level=each.level,
            says=f"{each.method} {each.target}: {' or '.join(map(str, each.accept))}",
            judge=partial(judge, each),
            evidence=(each.name,),
        )
        for each in specs.values()
    )
    return Suite(
        name=NAME,
        requests={name: each.request for name, each in specs.items()},
        cases=(*cell_checks.ALWAYS, *cases),
        compare=partial(
            reference_comparison.compare,
            specs=specs,
            reference_app=settings.reference_app,
            reference_server=settings.reference_server,
        ),
        repeat=1,
        burst=False,
        sources=(settings.contract,),
        patience=PATIENCE,
        notes=("Before responses are compared:", *(f"  {rule.id}: {rule.says}" for rule in RULES)),
    )


TYPE = SuiteType(
    name=NAME,
    about="Responses that every app must give, compared across apps and across servers.",
    title="The contract of the apps",
    caption="Checks of all exchanges by outcome, compared across apps and servers.",
    build=suite,
    settings=ContractSettings,
)
