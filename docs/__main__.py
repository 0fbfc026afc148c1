"""The pages of this repository that are generated.

python -m docs [PAGE…]           write what is made from code, in seconds
python -m docs --check [PAGE…]   write nothing; exit with 1 if a page is not current, saying how
python -m docs --list            all that is generated: what by this command, and what by a run
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from docs.generate import pages
from docs.generate.blocks import BlockError


def main(arguments: Sequence[str] | None = None, root: Path = pages.ROOT) -> int:
    """The command. Exit status: 0, 1 if a page is not current, 2 for a usage error."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        "python -m docs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="compare instead of writing")
    action.add_argument("--list", action="store_true", help="show what there is")
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="such as docs/options.md")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.pages if name not in pages.PAGES]:
        parser.error(
            f"nothing of {unknown[0]} is made from code; these are: {', '.join(pages.PAGES)}"
        )
    names = options.pages or list(pages.PAGES)
    try:
        if options.list:
            print(pages.listed(root))
            return 0
        if options.check:
            differences = list(filter(None, (pages.difference(name, root) for name in names)))
            print("\n\n".join(differences), end="\n" if differences else "")
            return 1 if differences else 0
        for name in names:
            if pages.write(name, root):
                print(f"written: {name}")
    except BlockError as problem:
        print(f"docs: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
