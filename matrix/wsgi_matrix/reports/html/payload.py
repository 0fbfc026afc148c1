"""The data for the page's script: results and evidence as deflated JSON in base64.

Octets are strings with one character each (U+0000 to U+00FF). Equal ones are stored once, and those
of the same exchange are adjacent, because deflate only looks back over 32 KiB.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wsgi_matrix.model.mismatch import Mismatch, explain
from wsgi_matrix.model.outcome_semantics import held
from wsgi_matrix.results import codec

OF_RULE = ("id", "alias", "level", "title", "says", "cite")
"""Keys whose values are the same for all checks of a rule."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """How much of the evidence the page contains."""

    octets: int
    """Maximum octets of one line of a transcript."""
    passing: bool = True
    """Whether to include that of checks that passed."""


def pack(value: Mapping[str, Any], kept: Kept) -> str:
    """The payload of a value of ``results.json``."""
    text = json.dumps(_payload(value, kept), ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode("ascii")


class _Table:
    """Unique values by position."""

    def __init__(self) -> None:
        self.places: dict[Any, int] = {}

    def place(self, value: Any) -> int:
        """The position of ``value``, which is added if it is new."""
        return self.places.setdefault(value, len(self.places))

    def values(self) -> list[Any]:
        """All values, in the order of their positions."""
        return list(self.places)


def _payload(value: Mapping[str, Any], kept: Kept) -> dict[str, Any]:
    rules, details, octets = _Table(), _Table(), _Table()
    checks = [
        [
            [
                rules.place((cell["suite"], *(each[key] for key in OF_RULE))),
                each["outcome"],
                details.place(_explanation(each)),
                each["evidence"],
                each["against"],
            ]
            for each in cell["checks"]
        ]
        for cell in value["cells"]
    ]
    evidence: list[dict[str, Any]] = [{} for _ in value["cells"]]
    wanted = [_wanted(cell, kept) for cell in value["cells"]]
    for name in dict.fromkeys(name for names in wanted for name in names):
        for cell, names, lines in zip(value["cells"], wanted, evidence, strict=True):
            if name in names:
                lines[name] = [_line(line, octets, kept) for line in cell["evidence"][name]]
    return {
        "rules": rules.values(),
        "details": details.values(),
        "octets": octets.values(),
        "cells": [
            {**_facts(cell), "checks": found, "evidence": lines}
            for cell, found, lines in zip(value["cells"], checks, evidence, strict=True)
        ],
    }


def _explanation(check: Mapping[str, Any]) -> str:
    return explain(check["detail"], codec.convert(check["mismatches"], tuple[Mismatch, ...]))


def _facts(cell: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a cell, except for its checks and its evidence."""
    return {key: each for key, each in cell.items() if key not in ("checks", "evidence")}


def _wanted(cell: Mapping[str, Any], kept: Kept) -> dict[str, None]:
    """Names of the evidence of a cell to include, in the order of its checks."""
    if not kept.octets:
        return {}
    used = {
        name: None
        for check in cell["checks"]
        if kept.passing or not held(check["outcome"])
        for name in check["evidence"]
        if name in cell["evidence"]
    }
    return used | dict.fromkeys(cell["evidence"]) if kept.passing else used


def _line(line: Mapping[str, Any], octets: _Table, kept: Kept) -> list[Any]:
    data = base64.b64decode(line["data"])[: kept.octets].decode("latin-1")
    return [line["at"], line["on"], line["what"], line["octets"], octets.place(data)]
