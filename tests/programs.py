"""Programs that tests drive something with. `make test` says beforehand which are missing."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"))


def absent(what: str) -> NoReturn:
    """What a test needs is not there: a failure in CI, elsewhere a reason to skip."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(what)
    pytest.skip(what)


def program(*names: str) -> str:
    """The path of the first of ``names`` that is there."""
    for name in names:
        if path := shutil.which(name, path=PATH):
            return path
    absent(f"{' or '.join(names)} is missing; `make programs` installs it")
