"""python -m docs.site [DIRECTORY]: build the site, by default into build/site.

Needs docs/site/requirements.txt. Exit status 1 for anything that Sphinx warns of, for a dead link,
for a page that is in no menu and for anything that would be loaded from the network.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from docs.generate import grid
from docs.site import ROOT, check

STRICT = ("--builder", "html", "--fail-on-warning", "--keep-going", "--nitpicky", "--quiet")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser("python -m docs.site", description=__doc__)
    parser.add_argument("output", nargs="?", type=Path, default=ROOT / "build" / "site")
    parser.add_argument("--source", type=Path, default=ROOT, help="the repository")
    parser.add_argument("--grid", type=Path, default=grid.DATA, help="the data of the front page")
    options = parser.parse_args(arguments)
    try:
        from sphinx.cmd.build import build_main  # noqa: PLC0415 - may be missing
    except ModuleNotFoundError:
        print("there is no Sphinx: pip install -r docs/site/requirements.txt", file=sys.stderr)
        return 2
    output: Path = options.output.resolve()
    shutil.rmtree(output, ignore_errors=True)
    trees = output.with_name(f"{output.name}-doctrees")
    here = Path(__file__).parent
    command = [*STRICT, "--fresh-env", "--conf-dir", str(here), "--doctree-dir", str(trees)]
    command += ["--define", f"grid_data={options.grid}", str(options.source), str(output)]
    if status := build_main(command):
        return int(status)
    faults = check.faults(output)
    print("\n".join(faults) or f"built: {output / check.FRONT}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
