"""What becomes of another server's setting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from onegate.config.dump import comment
from onegate.config.settings import OPTIONS
from onegate.settings_error import SettingsError
from onegate.validate_settings import SYNTAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class NoEquivalent(Exception):  # noqa: N818 - a result, not an error
    """This value has no equivalent. ``essential``: responses differ without it."""

    def __init__(self, reason: str, *, essential: bool) -> None:
        super().__init__(reason)
        self.essential = essential


@dataclass
class Translation:
    """What a file comes to."""

    source: str
    values: dict[str, Any] = field(default_factory=dict)
    """onegate's settings by their names."""
    notes: list[str] = field(default_factory=list)
    minor: list[str] = field(default_factory=list)
    """What has no equivalent, and no effect on responses."""
    lost: list[str] = field(default_factory=list)
    """What has no equivalent, and an effect on responses."""

    def apply(self, rule: Rule, name: str, value: Any) -> None:
        """Add the setting ``name`` with ``value`` by its rule."""
        said = f"{name} = {value!r}"
        try:
            self.values.update(rule.settings(value))
            if rule.remark:
                self.notes.append(f"{said}: {rule.remark}")
        except NoEquivalent as difference:
            (self.lost if difference.essential else self.minor).append(f"{said}: {difference}")
        except ValueError:
            self.lost.append(f"{said}: invalid value for onegate")

    def check(self) -> None:
        """Move values that are invalid in onegate, although their type is right, to ``lost``."""
        for name, check in SYNTAX.items():
            if name in self.values:
                try:
                    check(self.values[name])
                except SettingsError as error:
                    self.lost.append(f"{name} = {self.values.pop(name)!r}: {error}")

    def toml(self) -> str:
        """A file for ``--config``; what is not in it stands in comments."""
        lines = [f"# Translated from {self.source}"]
        for name, option in OPTIONS.items():
            if name in self.values and (text := option.kind.to_toml(self.values[name])) is not None:
                lines.append(f"{name} = {text}")
        for title, items in (
            ("Notes:", self.notes),
            ("No equivalent, no effect on what is served:", self.minor),
            ("LOST, changes what is served:", self.lost),
        ):
            if items:
                lines += ["", f"# {title}", *(f"#   {comment(item)}" for item in items)]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Rule:
    """What one setting becomes."""

    target: str
    """For the table in docs/migrating.md: a setting of onegate, or words."""
    settings: Callable[[Any], Mapping[str, Any]]
    """Makes settings of a value; raises :class:`NoEquivalent`, or ``ValueError`` if invalid."""
    remark: str = ""
    """What else there is to know, whatever the value."""
    reason: str = ""
    """Why there is no equivalent."""


def same(name: str, convert: Callable[[Any], Any] | None = None, remark: str = "") -> Rule:
    """The setting ``name`` says the same."""
    return Rule(
        name,
        lambda value: {name: convert_value(name, convert(value) if convert else value)},
        remark,
    )


def not_needed(reason: str) -> Rule:
    """There is nothing to set."""
    return Rule("not needed", lambda _: {}, reason)


def absent(reason: str, *harmless: object, essential: bool = False) -> Rule:
    """There is no equivalent. ``harmless``: values, besides empty ones, that have no effect."""

    def settings(value: Any) -> dict[str, Any]:
        if value and value not in harmless:
            raise NoEquivalent(reason, essential=essential)
        return {}

    target = "**lost**" if essential else "no equivalent"
    unless = ", unless " + " or ".join(map(repr, harmless)) if harmless else ""
    return Rule(target + unless, settings, reason=reason)


def convert_value(name: str, value: Any) -> Any:
    """``value``, which another server took, as the setting ``name`` takes it."""
    kind = OPTIONS[name].kind
    if kind.repeat:
        items = [value] if isinstance(value, str) else list(value)
        return tuple(kind.parse(str(item)) for item in items)
    if isinstance(value, str):
        return kind.parse(value)
    return kind.from_toml(value)
