"""Converts names in the results of versions before 0.2 to the current names."""

from __future__ import annotations

from typing import Any

from wsgi_matrix.suites import former_names

Value = dict[str, Any]


def replaced(value: Value) -> Value:
    """A value of ``results.json`` with the current names of suites, their apps, cells and checks.

    A current value is unchanged. Former ids of rules become aliases.
    """
    ids = {cell["id"]: _id(cell) for cell in value["cells"]}
    cells = [_cell(cell, ids) for cell in value["cells"]]
    suites = [former_names.suite(name) or name for name in value["run"]["suites"]]
    return {**value, "run": {**value["run"], "suites": suites}, "cells": cells}


def _cell(cell: Value, ids: dict[str, str]) -> Value:
    suite = former_names.suite(cell["suite"]) or cell["suite"]
    return {
        **cell,
        "id": ids[cell["id"]],
        "suite": suite,
        "app": _app(cell),
        "checks": [
            {
                **check,
                "id": former_names.check(suite, check["id"]) or check["id"],
                "against": ids.get(check["against"], check["against"]),
            }
            for check in cell["checks"]
        ],
    }


def _app(cell: Value) -> str:
    """The app of a suite with only one own app had the suite's name."""
    mine = cell["app"] == cell["suite"]
    return (mine and former_names.suite(cell["suite"])) or str(cell["app"])


def _id(cell: Value) -> str:
    found = str(cell["id"])
    if now := former_names.suite(cell["suite"]):
        before = f"{cell['server']}-{cell['app']}-"
        found = f"{cell['server']}-{_app(cell)}-{found.removeprefix(before)}"
        if found.endswith(end := f"-{cell['suite']}"):
            found = f"{found.removesuffix(end)}-{now}"
    return found
