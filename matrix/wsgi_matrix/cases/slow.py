"""Placeholder docstring for slow."""

from __future__ import annotations

from wsgi_matrix.cases.rule import Rule

RULES: tuple[Rule, ...] = ()
