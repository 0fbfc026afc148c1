"""``docs/contract.md``, made from the contract."""

from __future__ import annotations

from collections.abc import Sequence

from wsgi_matrix.http.normalise import RULES
from wsgi_matrix.suites.contract.contract_file import Asked, Endpoint
from wsgi_matrix.util.markdown import table

INTRO = """\
# What every app answers

Made by `make docs`; edit `apps/contract.toml` instead.
`wsgi-matrix run --suite contract --servers all --apps all` sends all
of it to every app under every server. An answer that is none of those accepted is `fail`; what the
contract leaves open is compared, after the rules below, with the app without a framework on the
same server (`NAME:apps`) and with the same app on onegate (`NAME:servers`), and is `differ` if it
is not the same. Every exchange with a *yes* under HEAD is sent as HEAD too and has to be answered
with the same status and fields and no content.
"""


def render(endpoints: Sequence[Endpoint]) -> str:
    """The whole document."""
    parts = [INTRO, "## Endpoints\n", table(["path", "methods", "answer"], map(_path, endpoints))]
    heads = {each.name for endpoint in endpoints for each in endpoint.asked}
    rows = [
        _row(asked, f"{asked.name}-head" in heads)
        for endpoint in endpoints
        for asked in endpoint.asked
        if asked.method != "HEAD"
    ]
    titles = ["exchange", "request", "accepted", "HEAD", "level"]
    parts += ["\n## Exchanges\n", table(titles, rows)]
    parts += ["\n## What is set aside before two answers are compared\n"]
    parts += [table(["rule", "what it does"], [[rule.id, rule.says] for rule in RULES])]
    return "\n".join(parts)


def _path(endpoint: Endpoint) -> list[str]:
    return [f"`{endpoint.path}`", ", ".join(endpoint.methods), endpoint.says]


def _row(asked: Asked, head: bool) -> list[str]:
    request = [f"`{asked.method} {asked.target}`", *(f"`{field}`" for field in asked.fields)]
    if asked.body is not None:
        kind = "in two chunks" if asked.chunked else "octets"
        request.append(f"{len(asked.body)} {kind}")
    accepted = " *or* ".join(str(each) for each in asked.accept)
    return [
        f"`{asked.name}`",
        "<br>".join(request),
        accepted,
        "yes" if head else "",
        asked.level.value,
    ]
