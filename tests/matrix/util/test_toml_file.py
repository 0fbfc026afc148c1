"""TOML files as dataclasses: what they become, and what an error says, word for word."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import pytest
from wsgi_matrix.errors import ConfigError
from wsgi_matrix.util.schema_types import (
    Command,
    Environment,
    ExistingFile,
    FilePath,
    Name,
    Octets,
    Regex,
    Seconds,
    SignalName,
    TableName,
    Text,
    between,
    doc,
    expect,
    values,
    written_as,
)
from wsgi_matrix.util.toml_file import TomlFile


class Colour(StrEnum):
    """An enumeration."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A table with each kind of value."""

    name: TableName
    size: Annotated[Octets | None, doc("A size.")] = None
    spokes: Annotated[int, between(3, 64), doc("A number.")] = 36
    turning: Annotated[Seconds, doc("A time.", was="spinning")] = 1.0
    colour: Colour = Colour.RED
    flat: bool = False
    maker: Annotated[Text, doc("Required.", was={"brand": "say its name in full"})]
    tags: tuple[str, ...] = ()
    widths: Annotated[tuple[int, ...], expect("a list of widths", min_length=1)] = (1,)
    directory: Annotated[FilePath | None, doc("A path.")] = None
    drawing: Annotated[ExistingFile | None, doc("A file.")] = None
    label: Annotated[Regex, doc("An expression.")] = ""
    halt: Annotated[SignalName, doc("A signal.")] = "SIGTERM"
    build: Annotated[tuple[Command, ...], doc("Commands.")] = ()
    environment: Annotated[Environment, doc("Variables.")] = ()
    anything: Any = None


@dataclass(frozen=True, kw_only=True)
class Cart:
    """A whole file."""

    wheels: dict[Name, Wheel] = field(default_factory=dict)
    spare: Annotated[tuple[Wheel, ...], written_as(dict[Name, Wheel], values)] = ()
    load: tuple[Wheel, ...] = ()


@pytest.fixture
def convert(tmp_path):
    file = tmp_path / "cart.toml"

    def convert(text: str) -> Cart:
        file.write_text(text, encoding="utf-8")
        source = TomlFile(file)
        return source.convert(source.read(), Cart)

    return convert


WHOLE = """
[wheels.front]
size = "2 KiB"
spokes = 3
turning = 2
colour = "blue"
flat = true
maker = "Ann & Söhne"
tags = ["a", "b"]
widths = [7]
directory = "sub/../x"
drawing = "cart.toml"
label = '^\\d+$'
halt = "SIGINT"
build = ["make 'the wheel'", "test"]
environment = { B = "2", A = "" }
anything = { x = [1, "y"] }
"""


def test_every_value_is_read(convert, tmp_path):
    assert convert(WHOLE).wheels["front"] == Wheel(
        name="front",
        size=2048,
        spokes=3,
        turning=2.0,
        colour=Colour.BLUE,
        flat=True,
        maker="Ann & Söhne",
        tags=("a", "b"),
        widths=(7,),
        directory=tmp_path / "sub/../x",
        drawing=tmp_path / "cart.toml",
        label=r"^\d+$",
        halt="SIGINT",
        build=(("make", "the wheel"), ("test",)),
        environment=(("B", "2"), ("A", "")),
        anything={"x": [1, "y"]},
    )


def test_what_is_left_out_has_its_default_as_its_own(convert):
    [wheel] = convert('[wheels.back]\nmaker = "x"').wheels.values()
    assert wheel == Wheel(name="back", maker="x")
    # msgspec leaves defaults to the class, and would not write them down again.
    assert set(vars(wheel)) == set(Wheel.__dataclass_fields__)


def test_tables_may_be_a_tuple_with_their_names(convert):
    text = '[spare.one]\nmaker = "x"\n[spare.two]\nmaker = "y"\n'
    assert [(each.name, each.maker) for each in convert(text).spare] == [("one", "x"), ("two", "y")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("wheel = 1", 'wheel: unknown key; did you mean "wheels"?'),
        ("x = 1", "x: unknown key; choose from: load, spare, wheels"),
        ('"a b" = 1', '"a b": unknown key; choose from: load, spare, wheels'),
        ("wheels = 3", "wheels: expected a table, not 3"),
        ("wheels = []", "wheels: expected a table, not []"),
        ("[wheels]\nfront = 1", "wheels.front: expected a table, not 1"),
        ("[wheels.front]", 'wheels.front: the key "maker" is missing'),
        (
            '[wheels."a-b"]\nmaker = "x"',
            "wheels.a-b: expected a name of lower-case letters, digits, _ and . (no hyphen), "
            'not "a-b"',
        ),
        (
            '[wheels."a\\n"]\nmaker = "x"',
            'wheels."a\\n": expected a name of lower-case letters, digits, _ and . (no hyphen), '
            'not "a\\n"',
        ),
        ('[wheels."3.1"]', 'wheels."3.1": the key "maker" is missing'),
        ("[load]", "load: expected a list of tables, not {}"),
        ("load = [1]", "load.1: expected a table, not 1"),
        ('[[load]]\nmaker = "x"\n[[load]]', 'load.2: the key "maker" is missing'),
    ],
)
def test_what_is_wrong_with_tables(convert, tmp_path, text, told):
    with pytest.raises(ConfigError) as caught:
        convert(text)
    assert str(caught.value) == f"{tmp_path}/cart.toml: {told}"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            'name = "x"',  # that is no key, and what is renamed is not among what there is
            "name: unknown key; choose from: anything, build, colour, directory, drawing, "
            "environment, flat, halt, label, maker, size, spokes, tags, turning, widths",
        ),
        ("spoke = 3", 'spoke: unknown key; did you mean "spokes"?'),
        ("spinning = 3", 'spinning: this key was renamed to "turning"'),
        ('brand = "x"', 'brand: this key was renamed to "maker"; say its name in full'),
        ("spokes = 2", "spokes: expected a whole number from 3 to 64, not 2"),
        ("spokes = 65", "spokes: expected a whole number from 3 to 64, not 65"),
        ('spokes = "36"', 'spokes: expected a whole number from 3 to 64, not "36"'),
        ("spokes = true", "spokes: expected a whole number from 3 to 64, not true"),
        ("spokes = 3.5", "spokes: expected a whole number from 3 to 64, not 3.5"),
        ("turning = 0", "turning: expected a number of seconds greater than 0, not 0"),
        ("turning = nan", "turning: expected a number of seconds greater than 0, not NaN"),
        ("turning = false", "turning: expected a number of seconds greater than 0, not false"),
        ('colour = "green"', 'colour: expected "red" or "blue", not "green"'),
        ("flat = 1", "flat: expected true or false, not 1"),
        ('flat = "true"', 'flat: expected true or false, not "true"'),
        ("maker = ''", 'maker: expected a non-empty string, not ""'),
        ("maker = 2026-11-28", 'maker: expected a non-empty string, not "2026-11-28"'),
        ('tags = "a"', 'tags: expected a list of strings, not "a"'),
        ('tags = ["a", 1]', 'tags: expected a list of strings, not ["a", 1]'),
        ("widths = []", "widths: expected a list of widths, not []"),
        ("size = 128", 'size: expected a size such as "128MiB" (B, KiB, MiB, GiB), not 128'),
        (
            'size = "0MiB"',
            'size: expected a size such as "128MiB" (B, KiB, MiB, GiB), not "0MiB"',
        ),
        ("directory = ''", 'directory: expected a non-empty string, not ""'),
        ("directory = 1", "directory: expected a non-empty string, not 1"),
        ("drawing = 'none'", 'drawing: expected an existing file ({}/none is not one), not "none"'),
        (
            "label = '('",
            "label: expected a regular expression (missing ), unterminated subpattern at position "
            '0), not "("',
        ),
        (
            'halt = "SIGNONE"',
            'halt: expected the name of a signal such as SIGTERM, not "SIGNONE"',
        ),
        (
            'build = ["make", "a \'b"]',
            'build.2: expected a command (No closing quotation), not "a \'b"',
        ),
        ("build = 'make'", 'build: expected a list of strings, not "make"'),
        ('environment = { A = "1", B = 2 }', "environment.B: expected a string, not 2"),
        (
            "environment = { 1A = '' }",
            "environment.1A: expected a name of letters, digits and _, no digit first, "
            'not "1A"',
        ),
        ("environment = []", "environment: expected a table, not []"),
        (
            f"spokes = '{'x' * 100}'",
            f'spokes: expected a whole number from 3 to 64, not "{"x" * 59}…',
        ),
        ("spokes = '''a\nb'''", 'spokes: expected a whole number from 3 to 64, not "a\\nb"'),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_value(convert, tmp_path, line, told):
    key = line.partition(" ")[0]
    maker = "" if key == "maker" else 'maker = "x"\n'
    with pytest.raises(ConfigError) as caught:
        convert(f"[wheels.front]\n{maker}{line}")
    assert str(caught.value) == f"{tmp_path}/cart.toml: wheels.front.{told.format(tmp_path)}"


def test_an_error_may_be_about_what_is_no_file():
    source = TomlFile(Path("cart.toml"), name="your options")
    with pytest.raises(ConfigError, match=r"^your options: wheels: expected a table, not 1$"):
        source.convert({"wheels": 1}, Cart)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[wheels", "invalid TOML: Expected ']' at the end of a table declaration"),
        (b"\xff", "invalid TOML: 'utf-8' codec"),
        (b"a = 1\na = 2", "invalid TOML: Cannot overwrite a value"),
        (None, "No such file or directory; use another file with --config"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path, content, told):
    file = tmp_path / "cart.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        TomlFile(file).read()
    assert str(caught.value).startswith(f"{file}: {told}")
