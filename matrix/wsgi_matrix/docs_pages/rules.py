"""``docs/rules.md``, made from the rules."""

from __future__ import annotations

from collections.abc import Sequence

from wsgi_matrix.suites import registry
from wsgi_matrix.suites.conformance import http1, pep3333
from wsgi_matrix.suites.conformance.rule import Rule, Unseen
from wsgi_matrix.suites.rules import GROUPS
from wsgi_matrix.util.markdown import table

INTRO = """\
# The rules that servers are asked for

Made by `make docs`; edit `matrix/wsgi_matrix/suites/` instead.
`wsgi-matrix run --suite conformance,slow_clients,shutdown --servers all` asks all of it of every
server. A rule is kept if what is accepted comes for each of its tries; a broken one of level MAY is
`differ`, any other is `fail`. The octets that are sent and that came are in the report of a run.
"""


def render() -> str:
    """The whole document."""
    parts = [INTRO]
    for name, rules in GROUPS.items():
        parts += [f"## {registry.types()[name].title}\n", _rules(rules), ""]
    parts += ["## Rows of PEP 3333 that nothing is asked for\n", _unseen(pep3333.UNSEEN), ""]
    parts += ["## Rows of HTTP/1.1 that nothing is asked for\n", _unseen(http1.UNSEEN)]
    return "\n".join(parts) + "\n"


def _unseen(rows: Sequence[Unseen]) -> str:
    cells = [[f"`{each.id}`", each.level.value, each.cite, each.why] for each in rows]
    return table(["row", "level", "where", "why"], cells)


def rows() -> dict[str, Rule | Unseen]:
    """The rules that the conformance tables have as rows, by their ids."""
    seen: list[Rule | Unseen] = [*pep3333.RULES, *pep3333.LAST, *http1.RULES]
    return {each.id: each for each in (*seen, *pep3333.UNSEEN, *http1.UNSEEN)}


def _rules(rules: Sequence[Rule]) -> str:
    rows = [
        [
            f"`{rule.id}`",
            rule.level.value,
            rule.cite,
            rule.says,
            "<br>".join(_accepted(rule)),
        ]
        for rule in rules
    ]
    return table(["rule", "level", "where", "what it says", "accepted"], rows)


def _accepted(rule: Rule) -> list[str]:
    """What is accepted, once for the tries that share it."""
    by_words: dict[str, list[str]] = {}
    for each in rule.tries:
        by_words.setdefault(each.accept.says, []).append(each.name)
    if len(by_words) == 1:
        return list(by_words)
    return [f"{', '.join(names)}: {words}" for words, names in by_words.items()]
