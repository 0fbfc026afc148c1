"""OpenAPI documents (3.x, and Swagger 2): their GET operations, with the examples they give."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from wsgi_matrix.traffic.model import Ask, Session

BY_TYPE: dict[str, Any] = {"integer": 1, "number": 1, "boolean": True, "string": "example"}
BY_FORMAT: dict[str, Any] = {
    "uuid": "6f1c2a52-5f0e-4d3b-9d7e-1f0a3c5b7d90",
    "date": "2025-11-24",
    "date-time": "2025-11-24T16:00:00Z",
}
DEEPEST = 20
"""References that lead to each other end there."""


def looks_like(value: Any) -> bool:
    """Whether a document wants to be one."""
    return isinstance(value, dict) and ("openapi" in value or "swagger" in value)


def read(document: dict[str, Any], source: str) -> Session:
    """A request for each GET operation. Raises ``ValueError`` with what is wrong and where."""
    paths = document.get("paths")
    if not isinstance(paths, dict) or not paths:
        raise ValueError("an OpenAPI document without paths")
    base = _base(document)
    asks, notes = [], []
    for path, item in paths.items():
        where = f"paths.{path}"
        operations = _resolved(document, item, where)
        operation = operations.get("get")
        if operation is None:
            continue
        if not isinstance(operation, dict):
            raise ValueError(f"{where}.get: an operation is expected")
        ask, made = _ask(document, base, path, operations, operation, f"{source}:{where}")
        asks.append(ask)
        if made:
            notes.append(f"{source}: {path}: no example of {', '.join(made)}; one was made up")
    if not asks:
        raise ValueError("there is no GET operation in it")
    return Session(asks=tuple(asks), notes=tuple(notes))


def _base(document: dict[str, Any]) -> str:
    servers = document.get("servers") or [{}]
    url = str(servers[0].get("url", "")) if isinstance(servers[0], dict) else ""
    if "swagger" in document:
        url = str(document.get("basePath", ""))
    for name, variable in (servers[0].get("variables") or {}).items():
        url = url.replace("{" + name + "}", str(variable.get("default", "")))
    return urlsplit(url).path.rstrip("/")


def _ask(
    document: dict[str, Any],
    base: str,
    path: str,
    item: dict[str, Any],
    operation: dict[str, Any],
    source: str,
) -> tuple[Ask, list[str]]:
    """The request, and the names of parameters whose value was made up."""
    parameters: dict[tuple[str, str], dict[str, Any]] = {}
    for each in (*(item.get("parameters") or []), *(operation.get("parameters") or [])):
        found = _resolved(document, each, source)
        parameters[str(found.get("in")), str(found.get("name"))] = found
    made: list[str] = []
    query: list[tuple[str, Any]] = []
    fields: list[tuple[str, str]] = []
    for (place, name), parameter in parameters.items():
        if place not in ("path", "query", "header"):
            continue
        value, given = _example(document, parameter)
        required = bool(parameter.get("required")) or place == "path"
        if not given and not required:
            continue
        if not given:
            made.append(name)
        text = value if isinstance(value, str) else json.dumps(value)
        if place == "path":
            path = path.replace("{" + name + "}", quote(text, safe=""))
        elif place == "header":
            fields.append((name, text))
        else:
            query += [(name, x) for x in value] if isinstance(value, list) else [(name, text)]
    if left := re.findall(r"\{(.*?)\}", path):
        raise ValueError(f"{source}: the path has {{{left[0]}}} and no parameter of that name")
    target = quote(base + path, safe="/%:@!$&'()*+,;=~") + ("?" + urlencode(query) if query else "")
    return Ask(target=target, fields=tuple(fields), source=source), made


def _example(document: dict[str, Any], parameter: dict[str, Any]) -> tuple[Any, bool]:
    """A value, and whether the document gives it."""
    schema = _resolved(document, parameter.get("schema") or parameter, "schema")
    for table in (parameter, schema):
        if "example" in table:
            return table["example"], True
        examples = table.get("examples")
        if isinstance(examples, dict) and examples:
            first = _resolved(document, next(iter(examples.values())), "examples")
            return first.get("value"), True
        if isinstance(examples, list) and examples:
            return examples[0], True
    if "default" in schema:
        return schema["default"], True
    if schema.get("enum"):
        return schema["enum"][0], True
    kind = schema.get("type", "string")
    if kind in ("integer", "number") and "minimum" in schema:
        return schema["minimum"], False
    return BY_FORMAT.get(str(schema.get("format")), BY_TYPE.get(str(kind), "example")), False


def _resolved(document: dict[str, Any], value: Any, where: str) -> dict[str, Any]:
    """``value``, or what its ``$ref`` within the document leads to."""
    for _ in range(DEEPEST):
        if not isinstance(value, dict):
            raise ValueError(f"{where}: an object is expected, not {value!r}")
        reference = value.get("$ref")
        if reference is None:
            return value
        if not str(reference).startswith("#/"):
            raise ValueError(f"{where}: {reference}: only references within the document are read")
        value = document
        for part in str(reference)[2:].split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(value, dict) or name not in value:
                raise ValueError(f"{where}: {reference} leads nowhere")
            value = value[name]
    raise ValueError(f"{where}: references that lead to each other")
