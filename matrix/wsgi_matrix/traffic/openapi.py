"""OpenAPI documents (3.x, and Swagger 2): GET operations with the values of their examples."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from wsgi_matrix.model.http_session import MADE, Ask, Session
from wsgi_matrix.traffic.json_references import Files, Node
from wsgi_matrix.traffic.styles import Style

BY_TYPE: dict[str, Any] = {"integer": 1, "number": 1, "boolean": True, "string": "example"}
BY_FORMAT: dict[str, Any] = {
    "uuid": "6f1c2a52-5f0e-4d3b-9d7e-1f0a3c5b7d90",
    "date": "2025-11-24",
    "date-time": "2025-11-24T16:00:00Z",
    "email": "ann@example.com",
    "uri": "https://example.com/",
    "ipv4": "192.0.2.1",
}
DEEPEST = 5
"""Maximum depth of a generated value."""
DESCRIBED_ELSEWHERE = frozenset({"accept", "content-type", "authorization"})
"""Header parameters that are ignored (OpenAPI 3.1 section 4.8.12.2)."""
NAMED = 5
"""Maximum number of parameters without an example to list."""
SIGNED = "credentials are required ({}): send them with --header 'Authorization: …'"


def looks_like(value: Any) -> bool:
    """Whether a document is intended to be OpenAPI."""
    return isinstance(value, dict) and ("openapi" in value or "swagger" in value)


def read(
    document: dict[str, Any], source: str, file: Path | None = None, *, signed: bool = False
) -> Session:
    """A request for each GET operation. ``file``: that references are relative to; ``signed``:
    whether credentials are added to all of them.

    Raises ``ValueError`` with what is wrong and where.
    """
    file = file.resolve() if file else None
    root = Node(document, Files(document, file), file)
    paths = root.at("paths")
    if not isinstance(paths.value, dict) or not paths.value:
        raise ValueError("an OpenAPI document without paths")
    asks, made_up, swagger = [], [], "swagger" in document
    wanted: dict[str, None] = {}
    for path, item in paths.items("paths"):
        if not path.startswith("/"):
            continue  # an extension: x-…
        where = f"paths.{path}"
        item.object(where)
        operation = item.at("get", f"{where}.get")
        if operation.value is None:
            continue
        if not isinstance(operation.value, dict):
            raise ValueError(f"{where}.get: expected an operation")
        base = next(x for x in map(_base, (operation, item, root)) if x is not None)
        try:
            ask, made = _ask(base, path, (item, operation), f"{source}:{where}", swagger=swagger)
        except ValueError as problem:
            raise ValueError(f"{where}.get: {problem}") from None
        asks.append(ask)
        wanted |= dict.fromkeys(_schemes(root, operation))
        made_up += [f"{name} of {path}" for name in made]
    if not asks:
        raise ValueError("no GET operations")
    notes = [f"{source}: {_made_up(made_up)}"] if made_up else []
    if wanted and not signed:
        notes.append(f"{source}: {SIGNED.format(', '.join(wanted))}")
    return Session(asks=tuple(asks), notes=tuple(notes))


def _made_up(parameters: Sequence[str]) -> str:
    """A note that values of ``parameters`` are generated, for any number of them."""
    left = len(parameters) - NAMED
    named = ", ".join(parameters[:NAMED]) + (f" and {left} more" if left > 0 else "")
    if len(parameters) == 1:
        return f"1 parameter has no example, its value is generated: {named}"
    return f"{len(parameters)} parameters have no example, their values are generated: {named}"


def _base(node: Node) -> str | None:
    """The path prefix of a node's servers; ``None`` if it has none."""
    if isinstance(node.value, dict) and "swagger" in node.value:
        return str(node.value.get("basePath", "")).rstrip("/")
    server = next(node.at("servers").each("servers"), None)
    if server is None:
        return "" if isinstance(node.value, dict) and "openapi" in node.value else None
    url = str(server.object("servers").get("url", ""))
    variables = server.at("variables")
    for name, variable in variables.items("servers.variables") if variables.value else ():
        url = url.replace("{" + name + "}", str(variable.object(name).get("default", "")))
    return urlsplit(url).path.rstrip("/")


def _schemes(root: Node, operation: Node) -> Iterator[str]:
    """The names of the security schemes of an operation that requires one."""
    needs = operation.value.get("security", root.value.get("security")) or []
    if isinstance(needs, list) and {} not in needs:
        yield from (str(name) for need in needs if isinstance(need, dict) for name in need)


def _ask(
    base: str, path: str, owners: Sequence[Node], source: str, *, swagger: bool
) -> tuple[Ask, list[str]]:
    """The request, and the names of parameters whose value was generated."""
    parameters: dict[tuple[str, str], Node] = {}
    for owner in owners:
        for each in owner.at("parameters").each("parameters"):
            told = each.object("parameters")
            parameters[str(told.get("in")), str(told.get("name"))] = each
    made, query, fields, cookies = [], [], [], []
    for (place, name), parameter in parameters.items():
        if place not in ("path", "query", "header", "cookie"):
            continue
        value, given = example(parameter)
        if not given and not parameter.value.get("required") and place != "path":
            continue
        if not given:
            made.append(name)
        text = Style.of(parameter, swagger=swagger).text(name, value)
        if place == "path":
            path = path.replace("{" + name + "}", text)
        elif place == "query":
            query.append(text)
        elif place == "cookie":
            cookies.append(text)
        elif name.lower() not in DESCRIBED_ELSEWHERE | MADE:
            fields.append((name, text))
    if left := re.findall(r"\{(.*?)\}", path):
        raise ValueError(f"the path has {{{left[0]}}}, but there is no parameter with this name")
    if cookies:
        fields.append(("Cookie", "; ".join(filter(None, cookies))))
    written = "&".join(filter(None, query))
    target = quote(base + path, safe="/%:@!$&'()*+,;=~") + (f"?{written}" if written else "")
    return Ask(target=target, fields=tuple(fields), source=source), made


def example(node: Node) -> tuple[Any, bool]:
    """A value of a parameter, and whether it is from the document."""
    content = node.at("content")
    if isinstance(content.value, dict) and content.value:
        media, described = next(content.items("content"))
        value, given = _given(described) or _of_schema(described.at("schema"), 0)
        json_ = media.partition(";")[0].strip().endswith("json")
        return (value if isinstance(value, str) and not json_ else json.dumps(value)), given
    schema = node.at("schema") if "schema" in node.value else node  # Swagger 2
    return _given(node) or _of_schema(schema, 0)


def _given(node: Node) -> tuple[Any, bool] | None:
    """The value of ``example`` or ``examples``."""
    table = node.value if isinstance(node.value, dict) else {}
    if "example" in table:
        return table["example"], True
    examples = node.at("examples")
    if isinstance(examples.value, dict):
        for _, each in examples.items("examples"):
            if isinstance(each.value, dict) and "value" in each.value:
                return each.value["value"], True
    if isinstance(examples.value, list) and examples.value:
        return examples.value[0], True
    return None


def _of_schema(node: Node, depth: int) -> tuple[Any, bool]:
    schema = node.value if isinstance(node.value, dict) else {}
    if found := _given(node):
        return found
    for key in ("default", "const"):
        if key in schema:
            return schema[key], True
    if schema.get("enum"):
        return schema["enum"][0], True
    for key in ("allOf", "oneOf", "anyOf"):
        for each in node.at(key).each(key):
            return _of_schema(each, depth + 1) if depth < DEEPEST else ("example", False)
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    kind = next((x for x in kinds if x != "null"), "string")
    if kind == "array":
        value, given = _of_schema(node.at("items"), depth + 1) if depth < DEEPEST else ("", False)
        return [value], given
    if kind == "object":
        return _of_object(node, depth)
    if kind in ("integer", "number") and "minimum" in schema:
        return schema["minimum"], False
    return BY_FORMAT.get(str(schema.get("format")), BY_TYPE.get(str(kind), "example")), False


def _of_object(node: Node, depth: int) -> tuple[dict[str, Any], bool]:
    """An object with the members that have an example or are required."""
    properties, made, all_given = node.at("properties"), {}, True
    required = node.value.get("required")
    required = required if isinstance(required, list) else []
    if depth < DEEPEST and properties.value:
        for name, each in properties.items("properties"):
            value, given = _of_schema(each, depth + 1)
            if given or name in required:
                made[name] = value
                all_given = all_given and given
    return made, bool(made) and all_given
