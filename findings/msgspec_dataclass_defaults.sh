#!/usr/bin/env bash
# msgspec 0.22.0: a dataclass that `convert` made loses its defaults when it is written again.
#
# `convert` leaves a field that the input lacks to the attribute of the class, so that the object
# reads right and compares equal. `to_builtins` and `json.encode` write only what stands in the
# object's own __dict__: the same object, made by its class, has three fields there, this one has
# one. `dataclasses.asdict` writes all three of both. Who reads, changes nothing and writes has lost
# every default without a word. Seen on 2026-11-27, Python 3.11.7:
#
#   equal True
#   made by the class: {'a': 1, 'b': (), 'c': 'x'}
#   made by convert:   {'a': 1}
#   asdict of that:    {'a': 1, 'b': (), 'c': 'x'}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check msgspec==0.22.0
"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
import dataclasses
import msgspec

@dataclasses.dataclass(frozen=True)
class Point:
    a: int
    b: tuple[int, ...] = ()
    c: str = "x"

read = msgspec.convert({"a": 1}, Point)
print("equal", read == Point(1))
print("made by the class:", msgspec.to_builtins(Point(1)))
print("made by convert:  ", msgspec.to_builtins(read))
print("asdict of that:   ", dataclasses.asdict(read))
PYTHON
cat "$folder/seen"
diff - "$folder/seen" <<'SEEN'
equal True
made by the class: {'a': 1, 'b': (), 'c': 'x'}
made by convert:   {'a': 1}
asdict of that:    {'a': 1, 'b': (), 'c': 'x'}
SEEN
