"""``onegate._record``: what a frozen dataclass would do."""

from __future__ import annotations

from typing import ClassVar

import pytest
from onegate._record import Record


class Base(Record):
    first: int
    second: str = "2"


class Derived(Base):
    known: ClassVar[int] = 7
    second: str = "two"
    third: tuple[int, ...] = ()


def test_fields_are_those_of_the_bases_first_and_have_defaults() -> None:
    made = Derived(first=1)
    assert repr(made) == "Derived(first=1, second='two', third=())"
    assert (made.first, made.second, made.third, made.known) == (1, "two", (), 7)
    assert Base(first=1).second == "2"


def test_equal_are_records_of_one_class_with_equal_values() -> None:
    one, same, other = Derived(first=1), Derived(first=1, third=()), Derived(first=2)
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert Base(first=1, second="two") != one


def test_nothing_can_be_changed_but_in_a_new_one() -> None:
    made = Derived(first=1)
    with pytest.raises(AttributeError, match="first"):
        made.first = 2  # type: ignore[misc]
    with pytest.raises(AttributeError, match="first"):
        del made.first
    assert made.replace(first=2, third=(3,)) == Derived(first=2, third=(3,))
    assert made == Derived(first=1)


def test_what_is_missing_or_unknown_is_named() -> None:
    with pytest.raises(TypeError, match="Derived needs first"):
        Derived()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Derived has no fourth, known"):
        Derived(first=1, fourth=4, known=7)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Derived has no fourth"):
        Derived(first=1).replace(fourth=4)


def test_a_bare_record_has_the_values_alone() -> None:
    made = Derived(first=1)
    bare = made.bare()
    assert vars(bare) == vars(made)
    assert type(bare) is Record
    assert vars(bare.replace(first=2)) == {"first": 2, "second": "two", "third": ()}
    with pytest.raises(TypeError, match="Record has no fourth"):
        bare.replace(fourth=4)
    with pytest.raises(AttributeError, match="frozen"):
        bare.first = 2  # type: ignore[misc]
