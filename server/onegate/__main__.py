"""``python -m onegate``."""

import sys

from onegate.cli import main

sys.exit(main())
