"""Lines ``NAME=VALUE``, as Docker and systemd read them: ``--env-file``, ``{{$dotenv NAME}}``."""

from __future__ import annotations

from pathlib import Path

from wsgi_matrix.errors import UserError


def read(file: Path) -> dict[str, str]:
    """The variables of a file; quotes around a value are dropped. Raises :class:`UserError`."""
    found = {}
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(f"{file}: {getattr(problem, 'strerror', problem)}") from None
    for number, raw in enumerate(lines, 1):
        line = raw.strip().removeprefix("export ").strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise UserError(f"{file}:{number}: expected NAME=VALUE, not {line!r}")
        value = value.strip()
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        found[name.strip()] = value[1:-1] if quoted else value
    return found
