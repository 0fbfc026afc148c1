"""Writes the reference in command.md from the help of ``wsgi-matrix``, and the limits in try.md.

python docs/command.py            write it
python docs/command.py --check    only say whether it is current; exit status 1 if not
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from wsgi_matrix.cli import axes
from wsgi_matrix.cli import main as group
from wsgi_matrix.util.markdown import table

FOLDER = Path(__file__).resolve().parent
WIDTH = 90


def reference() -> str:
    """A section for the command and for each of its sub-commands, in alphabetical order."""
    parts = [_section("wsgi-matrix", group, None)]
    top = click.Context(group, info_name="wsgi-matrix")
    for name in sorted(group.commands):
        parts.append(_section(f"wsgi-matrix {name}", group.commands[name], top))
    return "\n\n".join(parts)


def _section(title: str, command: click.Command, parent: click.Context | None) -> str:
    name = title.rpartition(" ")[2]
    context = click.Context(command, info_name=name, parent=parent, max_content_width=WIDTH)
    context.terminal_width = WIDTH
    return f"### {title}\n\n```text\n{command.get_help(context).rstrip()}\n```"


def limits() -> str:
    """The table of the built-in limits."""
    titles, *rows = axes.limits_table()
    return table(titles, rows)


PAGES = {"command.md": ("reference", reference), "try.md": ("limits", limits)}


def main() -> int:
    """Write, or check with ``--check``."""
    for name, (what, made) in PAGES.items():
        page = FOLDER / name
        before = page.read_text("utf-8")
        begin, end = f"<!-- {what} -->", f"<!-- end of {what} -->"
        head, _, rest = before.partition(begin)
        after = f"{head}{begin}\n\n{made()}\n\n{end}{rest.partition(end)[2]}"
        if after == before:
            continue
        if "--check" in sys.argv[1:]:
            print(f"docs/{name} is not current: run python docs/command.py")
            return 1
        page.write_text(after, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
