"""Writes the tables of options.md and migrating.md from the declarations in ``server/``.

python docs/tables.py            write them
python docs/tables.py --check    only say whether they are current; exit status 1 if not
"""

from __future__ import annotations

import re
import sys
from itertools import groupby
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent / "server"))

from onegate.config.option import Option  # noqa: E402 - found by the line above
from onegate.config.settings import OPTIONS  # noqa: E402
from onegate.config.types import Flag  # noqa: E402
from onegate.migrate.gunicorn import RULES as GUNICORN  # noqa: E402
from onegate.migrate.translation import Rule  # noqa: E402
from onegate.migrate.uwsgi import RULES as UWSGI  # noqa: E402
from onegate.process.hooks import HOOKS  # noqa: E402


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _spellings(option: Option) -> str:
    if option.positional:
        lines = [option.kind.metavar]
    else:
        lines = [", ".join(option.flags) + f" {option.kind.metavar}".rstrip()]
        if isinstance(option.kind, Flag):
            lines.append(f"--no-{option.flags[-1].removeprefix('--')}")
    lines.append(option.variable)
    if option.in_file:
        shown = option.kind.to_toml(option.default)
        lines.append(option.name if shown is None else f"{option.name} = {shown}")
    return "<br>".join(f"`{line}`" for line in lines)


def _text(text: str) -> str:
    """As Markdown: what would be markup there is code."""
    return re.sub(r"(?<!`)(\*\.|\*:\d+|__\w+|\$\w+|'%.*')", r"`\1`", text)


def options() -> str:
    """A table for each group of options."""
    lines = []
    for group, members in groupby(OPTIONS.values(), lambda option: option.group):
        lines += [f"## {group}", ""]
        lines.append(_row("Option", "What it does", "gunicorn", "uWSGI", "waitress", "others"))
        lines.append(_row(*["---"] * 6))
        lines += [
            _row(
                _spellings(option),
                f"{_text(option.help)}<br>*Why:* {_text(option.why)}",
                *(
                    _text(peer) or "-"
                    for peer in (option.gunicorn, option.uwsgi, option.waitress, option.others)
                ),
            )
            for option in members
        ]
        lines.append("")
    return "\n".join(lines).rstrip()


def _rules(title: str, rules: dict[str, Rule]) -> str:
    lines = [_row(title, "onegate", "remark"), _row("---", "---", "---")]
    for name, rule in rules.items():
        target = ", ".join(
            f"`{part}`" if part.isidentifier() else part for part in rule.target.split(", ")
        )
        lines.append(_row(f"`{name}`", target, rule.remark or rule.reason))
    return "\n".join(lines)


def gunicorn() -> str:
    """The rules for gunicorn's settings, its hooks last."""
    hooks = [_row(f"`{name}`", "`hooks`", "`hooks` points to the original file") for name in HOOKS]
    return "\n".join([_rules("gunicorn", GUNICORN), *hooks])


def uwsgi() -> str:
    """The rules for uWSGI's options."""
    return _rules("uWSGI", UWSGI)


TABLES = {"options.md": (options,), "migrating.md": (gunicorn, uwsgi)}


def main() -> int:
    """Write, or check with ``--check``."""
    status = 0
    for name, tables in TABLES.items():
        path = DOCS / name
        before = after = path.read_text("utf-8")
        for table in tables:
            marks = f"<!-- {table.__name__} -->", f"<!-- end of {table.__name__} -->"
            head, rest = after.split(marks[0])
            after = f"{head}{marks[0]}\n{table()}\n{marks[1]}{rest.split(marks[1])[1]}"
        if after == before:
            continue
        if "--check" in sys.argv[1:]:
            print(f"docs/{name} is not current: run python docs/tables.py")
            status = 1
        else:
            path.write_text(after, "utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
