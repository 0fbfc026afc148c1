"""JSON Schemas of wsgi-matrix's files, for editors and readers of results; by msgspec."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from wsgi_matrix.util.struct_from_dataclass import file_type

DRAFTS = {
    "definitions": "http://json-schema.org/draft-07/schema#",
    "$defs": "https://json-schema.org/draft/2020-12/schema",
}
"""By the key of a draft's definitions. TOML editors support the older draft better."""


def of_file(kind: type, title: str) -> dict[str, Any]:
    """The schema of a TOML file that contains a ``kind``."""
    (top,), definitions = _definitions("definitions", [file_type(kind)])
    return _whole("definitions", title, top, definitions)


def of_file_with(kind: type, title: str, key: str, tables: Mapping[str, Any]) -> dict[str, Any]:
    """The same for a file whose ``key`` contains ``tables``, whose types are declared elsewhere."""
    kinds = [file_type(each) for each in (kind, *tables.values())]
    (top, *others), definitions = _definitions("definitions", kinds)
    found = definitions[_name(top)]["properties"][key]
    found["properties"] = dict(zip(tables, others, strict=True))
    found["additionalProperties"] = False
    return _whole("definitions", title, top, definitions)


def of_value(kind: type, title: str) -> dict[str, Any]:
    """The schema of the JSON of a ``kind``: all keys are required, and others are forbidden."""
    (top,), definitions = _definitions("$defs", [kind])
    for each in definitions.values():
        if "properties" in each:
            each |= {"required": list(each["properties"]), "additionalProperties": False}
            for key in each["properties"].values():
                key.pop("default", None)
    return _whole("$defs", title, top, definitions)


def _definitions(place: str, kinds: list[Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    template = f"#/{place}/{{name}}"
    schemas, definitions = msgspec.json.schema_components(kinds, ref_template=template)
    return list(schemas), definitions


def _name(reference: Mapping[str, str]) -> str:
    return reference["$ref"].rpartition("/")[2]


def _whole(place: str, title: str, top: dict[str, Any], definitions: Any) -> dict[str, Any]:
    whole = definitions.pop(_name(top))
    value = {"$schema": DRAFTS[place], **whole, "title": title, place: definitions}
    # In ECMA-262, which JSON Schema uses for patterns, "$" only matches at the very end.
    text = json.dumps(value).replace(json.dumps(r"$(?!\n)")[1:-1], "$")
    made: dict[str, Any] = json.loads(text)
    return _described(made) if place == "definitions" else made


def _described(value: Any) -> Any:
    """``value`` for a draft that ignores keywords next to ``$ref``."""
    if isinstance(value, list):
        return [_described(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value and len(value) > 1:
        value = {**value, "allOf": [{"$ref": value["$ref"]}]}
        del value["$ref"]
    return {key: _described(each) for key, each in value.items()}
