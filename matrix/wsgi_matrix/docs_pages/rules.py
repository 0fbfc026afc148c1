"""What the documentation says of the rules, made from the rules.

    python -m wsgi_matrix.docs_pages.rules docs            write it
    python -m wsgi_matrix.docs_pages.rules --check docs    name what is not current; exit status 1

``rules.md`` is made as a whole. In the tables of conformance, whose other columns are about the
server, the columns *reference* and *level* are.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from wsgi_matrix.suites import registry
from wsgi_matrix.suites.conformance import http1, pep3333
from wsgi_matrix.suites.conformance.rule import Rule, Unseen
from wsgi_matrix.suites.rules import GROUPS
from wsgi_matrix.util.markdown import table

INTRO = """\
# The rules that servers are asked for

Made by `python -m wsgi_matrix.docs_pages.rules docs`; edit `matrix/wsgi_matrix/suites/` instead.
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


def _conformance(text: str) -> str:
    """A table of conformance with the levels and citations of the rules."""
    seen: list[Rule | Unseen] = [*pep3333.RULES, *pep3333.LAST, *http1.RULES]
    there = {each.id: each for each in (*seen, *pep3333.UNSEEN, *http1.UNSEEN)}
    lines: list[str] = []
    columns: list[str] = []
    for line in text.splitlines():
        cells = line.strip("| ").split(" | ")
        if cells[0] == "rule":
            columns = cells
        elif (rule := there.get(cells[0])) and columns:
            cells[columns.index("reference")] = rule.cite
            cells[columns.index("level")] = rule.level.value
            lines.append(f"| {' | '.join(cells)} |")
            continue
        lines.append(line)
    return "\n".join(lines) + "\n"


PAGES = {
    "rules.md": lambda _: render(),
    "conformance-http1.md": _conformance,
    "conformance-wsgi.md": _conformance,
}
"""What each page has to be, of what it is."""


def stale(docs: Path) -> list[str]:
    """The pages in the directory ``docs`` that are not what the rules say."""
    return [name for name in PAGES if _page(docs, name) != (docs / name).read_text("utf-8")]


def write(docs: Path) -> None:
    """Make the pages in the directory ``docs`` what the rules say."""
    for name in stale(docs):
        (docs / name).write_text(_page(docs, name), "utf-8")


def _page(docs: Path, name: str) -> str:
    return PAGES[name]((docs / name).read_text("utf-8"))


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


if __name__ == "__main__":
    *check, folder = sys.argv[1:]
    if check:
        if old := stale(Path(folder)):
            sys.exit(
                f"not current: {', '.join(old)}; run python -m wsgi_matrix.docs_pages.rules docs"
            )
    else:
        write(Path(folder))
