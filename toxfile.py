"""An environment of tox for each app of ``matrix.toml``: tox reads this file beside ``tox.ini``.

So that a framework is added by its directory and its stanza alone; ``[testenv]`` of tox.ini says
what such an environment does.
"""

from __future__ import annotations

import configparser
import tomllib
from pathlib import Path

from tox.config.loader.memory import MemoryLoader
from tox.config.sets import ConfigSet
from tox.config.types import EnvList
from tox.plugin import impl
from tox.session.state import State

ROOT = Path(__file__).resolve().parent


def apps() -> list[str]:
    """The names of the apps."""
    return list(tomllib.loads((ROOT / "matrix.toml").read_text(encoding="utf-8"))["apps"])


# Older versions of tox do not have this hook; they make themselves the one that tox.ini requires.
@impl(optionalhook=True)
def tox_extend_envs() -> list[str]:
    """Let tox know their names."""
    return apps()


@impl
def tox_add_core_config(core_conf: ConfigSet, state: State) -> None:
    """Let them run where nobody names an environment."""
    ini = configparser.ConfigParser(interpolation=None)
    ini.read(ROOT / "tox.ini", encoding="utf-8")
    listed = [name.strip() for name in ini["tox"]["env_list"].split(",")]
    names = list(dict.fromkeys([*listed, *apps()]))
    core_conf.loaders.insert(0, MemoryLoader(env_list=EnvList(names)))
