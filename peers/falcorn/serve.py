"""Runs falcorn's command, which starts its workers by the path given here: COMMAND ARGS.

By itself it looks for its script in the directory of Python's own, where it is not installed.
"""

import os
import sys

from falcorn import _falcorn

os.environ["FALCORN_BIN_PATH"] = sys.argv[1]
raise SystemExit(_falcorn.cli_main(sys.argv[2:]))
