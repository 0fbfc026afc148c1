"""Where what is too large for memory goes."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from onegate.spool import open_spool, spool_folder


def test_spool_folder(tmp_path: Path) -> None:
    assert spool_folder("none") is None
    assert spool_folder(str(tmp_path)) == str(tmp_path)
    assert spool_folder(str(tmp_path / "gone")) is None
    assert spool_folder("auto") is not None


def test_auto_is_what_the_environment_names_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "gone"))
    monkeypatch.setenv("TMP", str(tmp_path))
    monkeypatch.delenv("TEMP", raising=False)
    assert spool_folder("auto") == str(tmp_path)


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_a_file_without_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, buffered: bool, known: bool
) -> None:
    if not known:
        real = os.open

        def without(path: Any, flags: int, *rest: int, **more: int) -> int:
            if flags & os.O_TMPFILE == os.O_TMPFILE:
                raise OSError(errno.EOPNOTSUPP, "as on a file system that has none")
            return real(path, flags, *rest, **more)

        monkeypatch.setattr(os, "open", without)
    with open_spool(str(tmp_path), buffered=buffered) as file:
        assert not list(tmp_path.iterdir())
        assert not os.get_inheritable(file.fileno())
        file.write(b"one\ntwo\n")
        file.seek(0)
        assert file.readlines() == [b"one\n", b"two\n"]
