"""Tables of options.md and migrating.md, from the declarations in ``server/``."""

from __future__ import annotations

import re
from itertools import groupby

from onegate.config.option import Option
from onegate.config.settings import OPTIONS
from onegate.config.types import Flag
from onegate.migrate.gunicorn import RULES as GUNICORN
from onegate.migrate.translation import Rule
from onegate.migrate.uwsgi import RULES as UWSGI
from onegate.process.hooks import HOOKS
from wsgi_matrix.util.markdown import table


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
        titles = ["Option", "What it does", "gunicorn", "uWSGI", "waitress", "others"]
        rows = [
            [
                _spellings(option),
                f"{_text(option.help)}<br>*Why:* {_text(option.why)}",
                *(
                    _text(peer) or "-"
                    for peer in (option.gunicorn, option.uwsgi, option.waitress, option.others)
                ),
            ]
            for option in members
        ]
        lines += [table(titles, rows), ""]
    return "\n".join(lines)


def gunicorn() -> str:
    """The rules for gunicorn's settings, its hooks last."""
    hooks = [[f"`{name}`", "`hooks`", "`hooks` points to the original file"] for name in HOOKS]
    return table(["gunicorn", "onegate", "remark"], [*_rules(GUNICORN), *hooks])


def uwsgi() -> str:
    """The rules for uWSGI's options."""
    return table(["uWSGI", "onegate", "remark"], _rules(UWSGI))


def _rules(rules: dict[str, Rule]) -> list[list[str]]:
    rows = []
    for name, rule in rules.items():
        target = ", ".join(
            f"`{part}`" if part.isidentifier() else part for part in rule.target.split(", ")
        )
        rows.append([f"`{name}`", target, rule.remark or rule.reason])
    return rows
