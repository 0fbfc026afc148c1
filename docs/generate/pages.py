"""Which pages are generated and from what; which need a run, and when that was."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from wsgi_matrix.docs_pages import contract as contract_docs
from wsgi_matrix.docs_pages import rules as rules_docs
from wsgi_matrix.suites.contract import contract_file as contract

from docs.generate import blocks, command, conformance, grid, tables

ROOT = Path(__file__).parents[2]
MOST_LINES = 60
"""Of a difference that are shown."""

Make = Callable[[str], str]
"""From a page to the page as it has to be."""


def block(name: str, make: Callable[[], str]) -> Make:
    """A page of which ``make`` makes the block ``name``."""
    return lambda page: blocks.fill(page, name, make())


def whole(make: Callable[[], str]) -> Make:
    """A page that ``make`` makes as a whole."""
    return lambda _: make().rstrip() + "\n"


def _contract() -> str:
    return contract_docs.render(contract.load(ROOT / "apps" / "contract.toml"))


PAGES: Mapping[str, tuple[Make, ...]] = {
    "README.md": (block("profiles", lambda: command.profiles(ROOT / "matrix.toml")),),
    "docs/command.md": (block("reference", command.reference),),
    "docs/conformance-http1.md": (conformance.columns,),
    "docs/conformance-wsgi.md": (conformance.columns,),
    "docs/contract.md": (whole(_contract),),
    "docs/migrating.md": (block("gunicorn", tables.gunicorn), block("uwsgi", tables.uwsgi)),
    "docs/options.md": (block("options", tables.options),),
    "docs/rules.md": (whole(rules_docs.render),),
    "docs/results/grid.md": (whole(grid.page),),
    "docs/try.md": (block("limits", command.limits),),
}
"""What is made from code, in seconds: by page, its parts."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What only a run can tell."""

    page: str
    """It has the date of the run, the first there is."""
    block: str = ""
    """Where in the page; empty: all of it."""
    command: str
    """What runs it and writes the page."""
    date: re.Pattern[str] = re.compile(r"\b20\d\d-\d\d-\d\d")

    @property
    def where(self) -> str:
        """The page, and the block in it."""
        return f"{self.page} {self.block}".strip()

    def made(self, root: Path) -> str:
        """The date of the run. Raises :class:`blocks.BlockError` if there is none."""
        page = (root / self.page).read_text("utf-8")
        found = self.date.search(blocks.read(page, self.block) if self.block else page)
        if not found:
            raise blocks.BlockError(f"{self.page}: it does not say when it was made")
        return found[0]


RESULTS = (
    Result(page="README.md", block="grid", command="make readme"),
    Result(page="README.md", block="tests", command="make test readme"),
    Result(page="README.md", block="headline", command="make bench DOCS=1"),
    Result(page="docs/lessons/README.md", block="sessions", command="make lessons"),
    Result(page="docs/operation.md", block="accepting", command="make accepting DOCS=1"),
    Result(page="docs/results/benchmark.md", block="headline", command="make bench DOCS=1"),
    Result(page="docs/results/benchmark.md", block="bench", command="make bench DOCS=1"),
    Result(page="docs/results/cost.md", block="cells", command="make cost DOCS=1"),
    Result(page="docs/results/grid.md", command="make grid"),
    Result(page="docs/results/report.md", block="picture", command="make picture"),
    Result(page="docs/results/soak.md", block="soak", command="make soak DOCS=1"),
)


def listed(root: Path = ROOT) -> str:
    """All that is generated: where, whether it is current or when it was made, what makes it."""
    rows = [
        (name, "stale" if difference(name, root) else "current", f"python -m docs {name}")
        for name in PAGES
    ]
    rows += [(each.where, each.made(root), each.command) for each in RESULTS]
    wide = [max(len(row[at]) for row in rows) for at in (0, 1)]
    return "\n".join(f"{page:{wide[0]}}  {date:{wide[1]}}  {how}" for page, date, how in rows)


def made(name: str, root: Path = ROOT) -> str:
    """What the page ``name`` has to be. Raises :class:`blocks.BlockError`."""
    text = (root / name).read_text("utf-8")
    for make in PAGES[name]:
        try:
            text = make(text)
        except blocks.BlockError as problem:
            raise blocks.BlockError(f"{name}: {problem}") from None
    return text


def difference(name: str, root: Path = ROOT) -> str:
    """How the page ``name`` differs from what it has to be, and the command that writes it.

    Empty if it does not.
    """
    old, new = (root / name).read_text("utf-8"), made(name, root)
    if old == new:
        return ""
    lines = list(
        difflib.unified_diff(
            old.splitlines(), new.splitlines(), name, f"{name} as it has to be", "", "", 1, ""
        )
    )
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"… and {len(lines) - MOST_LINES} more lines"]
    return "\n".join([f"{name} is not current; run: python -m docs {name}", *lines])


def write(name: str, root: Path = ROOT) -> bool:
    """Make the page ``name`` what it has to be; whether that changed it."""
    text = made(name, root)
    if (root / name).read_text("utf-8") == text:
        return False
    (root / name).write_text(text, "utf-8")
    return True
