"""All settings in one frozen object."""

from __future__ import annotations

from onegate.config.option import Option
from onegate.config.options.application import Application
from onegate.config.options.logs import Logs
from onegate.config.options.network import Network
from onegate.config.options.processes import Processes
from onegate.config.options.requests import Requests


class Settings(Logs, Requests, Processes, Network, Application):
    """The settings of the server. Sizes are in octets, times in seconds."""


OPTIONS: dict[str, Option] = {
    name: option
    for group in (Application, Network, Processes, Requests, Logs)
    for name, option in group.options.items()
}
"""Every option by its name, in the order of the documentation."""
