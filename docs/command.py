"""Writes the reference in command.md from the help texts of ``wsgi-matrix``.

python docs/command.py            write it
python docs/command.py --check    only say whether it is current; exit status 1 if not
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from wsgi_matrix.cli import main as group

PAGE = Path(__file__).resolve().parent / "command.md"
MARKS = "<!-- reference -->", "<!-- end of reference -->"
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


def main() -> int:
    """Write, or check with ``--check``."""
    before = PAGE.read_text("utf-8")
    head, _, rest = before.partition(MARKS[0])
    tail = rest.partition(MARKS[1])[2]
    after = f"{head}{MARKS[0]}\n\n{reference()}\n\n{MARKS[1]}{tail}"
    if after == before:
        return 0
    if "--check" in sys.argv[1:]:
        print("docs/command.md is not current: run python docs/command.py")
        return 1
    PAGE.write_text(after, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
