"""The sources of settings. The first of them that names an option determines its whole value.

command line > ONEGATE_* variables > --config FILE > PORT, WEB_CONCURRENCY > defaults
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from onegate._record import Record
from onegate.config.option import PREFIX
from onegate.config.settings import OPTIONS, Settings
from onegate.config.types import Integer, Kind
from onegate.settings_error import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


DEFAULT = "default"
_KUBERNETES = re.compile(
    r"ONEGATE_(?:[A-Z0-9_]+_)?(?:"
    r"SERVICE_HOST=.*|SERVICE_PORT(?:_[A-Z0-9_]+)?=[0-9]+"
    r"|PORT(?:_[0-9]+_(?:TCP|UDP|SCTP))?=(?:tcp|udp|sctp)://.*"
    r"|PORT_[0-9]+_(?:TCP|UDP|SCTP)_(?:ADDR|PORT|PROTO)=.*)",
    re.DOTALL,
)
"""Variables, with their values, that Kubernetes sets in every container of the namespace of a
service called "onegate" or "onegate-NAME". ONEGATE_PORT=8000 is not one of them, but a mistake."""
_VARIABLES = {option.variable: option for option in OPTIONS.values()}
_GUNICORN = {option.gunicorn.split()[0].rstrip(","): option.name for option in OPTIONS.values()}


class Loaded(Record):
    """Settings, and for each of their names the source of the value."""

    settings: Settings
    origins: Mapping[str, str]


def combine(
    arguments: Mapping[str, Any], environ: Mapping[str, str], directory: str = ""
) -> Loaded:
    """Read all sources. ``arguments``: the settings of a command line entered in ``directory``.

    Raises :class:`SettingsError`.
    """
    variables = from_environ(environ)
    path = arguments.get("config") or variables.get("config")
    layers = [
        (_platform(environ), _PLATFORM),
        (from_file(path, directory) if path else {}, dict.fromkeys(OPTIONS, str(path))),
        (variables, {name: option.variable for name, option in OPTIONS.items()}),
        (arguments, dict.fromkeys(OPTIONS, "command line")),
    ]
    values: dict[str, Any] = {}
    origins = dict.fromkeys(OPTIONS, DEFAULT)
    for layer, names in layers:
        values.update(layer)
        origins.update({name: names[name] for name in layer})
    if "access_logfile" in values and "access_log" not in values:
        # As with gunicorn: naming the file turns the log on.
        values["access_log"] = "combined"
        origins["access_log"] = "because access_logfile is set"
    return Loaded(settings=Settings(**values), origins=origins)


# ── the environment ──────────────────────────────────────────────────────────────────────────────


def from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings in ``ONEGATE_`` variables. Empty ones are ignored."""
    values = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or _KUBERNETES.fullmatch(f"{variable}={text}"):
            continue
        option = _VARIABLES.get(variable)
        if option is None:
            from onegate._suggest import hint  # noqa: PLC0415 - only for a mistake

            near = hint(variable, _VARIABLES)
            raise SettingsError(f"unknown environment variable {variable}{near}")
        if text:
            try:
                values[option.name] = option.kind.parse_variable(text)
            except ValueError:
                raise SettingsError(_invalid(variable, text, option.kind)) from None
    return values


_PLATFORM = {"bind": "PORT", "workers": "WEB_CONCURRENCY"}


def _platform(environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings in PORT and WEB_CONCURRENCY, which platforms set for any program."""
    values: dict[str, Any] = {}
    for name, variable in _PLATFORM.items():
        if not (text := environ.get(variable, "")):
            continue
        kind = Integer(0 if variable == "PORT" else 1)
        try:
            values[name] = kind.parse(text)
        except ValueError:
            raise SettingsError(_invalid(variable, text, kind)) from None
    if "bind" in values:
        values["bind"] = (f"0.0.0.0:{values['bind']}",)
    return values


# ── a file ───────────────────────────────────────────────────────────────────────────────────────


def from_file(path: str, directory: str = "") -> dict[str, Any]:
    """The settings in the TOML file ``path``, which is relative to ``directory``; in a
    pyproject.toml, its table ``[tool.onegate]``."""
    import tomllib  # noqa: PLC0415 - only with --config

    try:
        with open(os.path.join(directory, path), "rb") as file:
            document = tomllib.load(file)
    except OSError as error:
        raise SettingsError(f"--config {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: invalid TOML: {error}") from None
    if os.path.basename(path) == "pyproject.toml":
        try:
            document = document["tool"]["onegate"]
        except (KeyError, TypeError):
            raise SettingsError(f"{path}: no [tool.onegate] table") from None
    if not isinstance(document, dict):
        raise SettingsError(f"{path}: tool.onegate is not a table")
    return {key: _value(path, key, value) for key, value in document.items()}


def _value(path: str, key: str, value: object) -> Any:
    option = OPTIONS.get(key)
    if option is None:
        raise SettingsError(f"{path}: unknown setting {key!r}{_similar(key)}")
    if not option.in_file:
        ways = f"{option.flags[-1]} or {option.variable}"
        raise SettingsError(f"{path}: {key} cannot be set in a file; use {ways}")
    try:
        return option.kind.from_toml(value)
    except ValueError:
        raise SettingsError(_invalid(f"{path}: {key}", value, option.kind)) from None


def _invalid(where: str, value: object, kind: Kind) -> str:
    return f"{where}: invalid value {value!r}, expected {kind.expects}"


def _similar(key: str) -> str:
    name = _GUNICORN.get(key)
    if name is not None:
        return f"; the equivalent of gunicorn's {key} is {name}"
    from onegate._suggest import hint  # noqa: PLC0415 - only for a mistake

    return hint(key.replace("-", "_"), (each for each in OPTIONS if OPTIONS[each].in_file))
