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
        ("x = 1", "x: unknown key; there is: load, spare, wheels"),
        ('"a b" = 1', '"a b": unknown key; there is: load, spare, wheels'),
        ("wheels = 3", "wheels: a table is expected, not 3"),
        ("wheels = []", "wheels: a table is expected, not []"),
        ("[wheels]\nfront = 1", "wheels.front: a table is expected, not 1"),
        ("[wheels.front]", 'wheels.front: the key "maker" is missing'),
        (
            '[wheels."a-b"]\nmaker = "x"',
            "wheels.a-b: a name of lower-case letters, digits, _ and . (no hyphen) is expected, "
            'not "a-b"',
        ),
        (
            '[wheels."a\\n"]\nmaker = "x"',
            'wheels."a\\n": a name of lower-case letters, digits, _ and . (no hyphen) is expected, '
            'not "a\\n"',
        ),
        ('[wheels."3.1"]', 'wheels."3.1": the key "maker" is missing'),
        ("[load]", "load: a list of tables is expected, not {}"),
        ("load = [1]", "load.1: a table is expected, not 1"),
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
            "name: unknown key; there is: anything, build, colour, directory, drawing, "
            "environment, flat, halt, label, maker, size, spokes, tags, turning, widths",
        ),
        ("spoke = 3", 'spoke: unknown key; did you mean "spokes"?'),
        ("spinning = 3", 'spinning: this key is called "turning" now'),
        ('brand = "x"', 'brand: this key is called "maker" now; say its name in full'),
        ("spokes = 2", "spokes: a whole number from 3 to 64 is expected, not 2"),
        ("spokes = 65", "spokes: a whole number from 3 to 64 is expected, not 65"),
        ('spokes = "36"', 'spokes: a whole number from 3 to 64 is expected, not "36"'),
        ("spokes = true", "spokes: a whole number from 3 to 64 is expected, not true"),
        ("spokes = 3.5", "spokes: a whole number from 3 to 64 is expected, not 3.5"),
        ("turning = 0", "turning: a number of seconds greater than 0 is expected, not 0"),
        ("turning = nan", "turning: a number of seconds greater than 0 is expected, not NaN"),
        ("turning = false", "turning: a number of seconds greater than 0 is expected, not false"),
        ('colour = "green"', 'colour: "red" or "blue" is expected, not "green"'),
        ("flat = 1", "flat: true or false is expected, not 1"),
        ('flat = "true"', 'flat: true or false is expected, not "true"'),
        ("maker = ''", 'maker: a non-empty string is expected, not ""'),
        ("maker = 2026-11-28", 'maker: a non-empty string is expected, not "2026-11-28"'),
        ('tags = "a"', 'tags: a list of strings is expected, not "a"'),
        ('tags = ["a", 1]', 'tags: a list of strings is expected, not ["a", 1]'),
        ("widths = []", "widths: a list of widths is expected, not []"),
        ("size = 128", 'size: a size such as "128MiB" (B, KiB, MiB, GiB) is expected, not 128'),
        (
            'size = "0MiB"',
            'size: a size such as "128MiB" (B, KiB, MiB, GiB) is expected, not "0MiB"',
        ),
        ("directory = ''", 'directory: a non-empty string is expected, not ""'),
        ("directory = 1", "directory: a non-empty string is expected, not 1"),
        ("drawing = 'none'", 'drawing: a file ({}/none is none) is expected, not "none"'),
        (
            "label = '('",
            "label: a regular expression (missing ), unterminated subpattern at position 0) is "
            'expected, not "("',
        ),
        (
            'halt = "SIGNONE"',
            'halt: the name of a signal such as SIGTERM is expected, not "SIGNONE"',
        ),
        (
            'build = ["make", "a \'b"]',
            'build.2: a command (No closing quotation) is expected, not "a \'b"',
        ),
        ("build = 'make'", 'build: a list of strings is expected, not "make"'),
        ('environment = { A = "1", B = 2 }', "environment.B: a string is expected, not 2"),
        (
            "environment = { 1A = '' }",
            "environment.1A: a name of letters, digits and _, no digit first is expected, "
            'not "1A"',
        ),
        ("environment = []", "environment: a table is expected, not []"),
        (
            f"spokes = '{'x' * 100}'",
            f'spokes: a whole number from 3 to 64 is expected, not "{"x" * 59}…',
        ),
        ("spokes = '''a\nb'''", 'spokes: a whole number from 3 to 64 is expected, not "a\\nb"'),
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
    with pytest.raises(ConfigError, match=r"^your options: wheels: a table is expected, not 1$"):
        source.convert({"wheels": 1}, Cart)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[wheels", "not TOML: Expected ']' at the end of a table declaration"),
        (b"\xff", "not TOML: 'utf-8' codec"),
        (b"a = 1\na = 2", "not TOML: Cannot overwrite a value"),
        (None, "No such file or directory; name another with --config"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path, content, told):
    file = tmp_path / "cart.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        TomlFile(file).read()
    assert str(caught.value).startswith(f"{file}: {told}")
