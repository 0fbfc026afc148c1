"""Converts a GraphQL query in a .http file to the JSON that is sent (GraphQL over HTTP).

The body is the query, and after an empty line its variables, if there are any.
"""

from __future__ import annotations

import json
import re

from wsgi_matrix.probe.agent.session import PLACE

NAMED = re.compile(r"^\s*query\s+([^@{(\s]+)", re.MULTILINE | re.IGNORECASE)


def body(text: str) -> str:
    """The content. Raises ``ValueError`` if there is no query."""
    query, variables = _split(text)
    if not query.strip():
        raise ValueError("a GraphQL request without a query in its body")
    parts = [f'"query": {json.dumps(query, ensure_ascii=False)}']
    operations = NAMED.findall(query)
    if len(operations) == 1:
        parts.append(f'"operationName": {json.dumps(operations[0], ensure_ascii=False)}')
    # Unchanged, because values captured from responses are filled in later.
    return "{" + ", ".join([*parts, f'"variables": {variables or "{}"}']) + "}"


def _split(text: str) -> tuple[str, str]:
    """The query, and the JSON object after an empty line; a query may have empty lines too."""
    lines = text.strip("\n").split("\n")
    for number, line in enumerate(lines):
        rest = "\n".join(lines[number + 1 :]).strip()
        if not line.strip() and rest.startswith("{"):
            try:
                json.loads(PLACE.sub("0", rest))
            except ValueError:
                continue
            return "\n".join(lines[:number]), rest
    return "\n".join(lines), ""
