"""All settings in one frozen object."""

from __future__ import annotations

from onegate.settings.declare import Option
from onegate.settings.options.application import Application
from onegate.settings.options.logs import Logs
from onegate.settings.options.messages import Messages
from onegate.settings.options.network import Network
from onegate.settings.options.processes import Processes


class Settings(Logs, Messages, Processes, Network, Application):
    """What the server was told. Sizes are in octets, times in seconds."""


OPTIONS: dict[str, Option] = {
    name: option
    for group in (Application, Network, Processes, Messages, Logs)
    for name, option in group.options.items()
}
"""Every option by its name, in the order of the documentation."""
