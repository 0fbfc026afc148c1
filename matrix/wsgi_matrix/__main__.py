"""``wsgi-matrix`` and ``python -m wsgi_matrix``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command. Importing it here lets an interrupt during the slow import be handled."""
    try:
        from wsgi_matrix.cli import main as command  # noqa: PLC0415
    except KeyboardInterrupt:
        print("wsgi-matrix: interrupted", file=sys.stderr)
        sys.exit(130)  # Exit.INTERRUPTED, whose module may not be loaded yet
    command(prog_name="wsgi-matrix")


if __name__ == "__main__":
    main()
