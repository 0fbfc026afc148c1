"""PasteDeploy: ``use = egg:onegate#main`` in a ``[server:main]``, which ``pserve`` runs."""

from __future__ import annotations

import sys

from onegate.serving import as_master, read_settings
from onegate.settings_error import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def main(app: Callable[..., Any], global_conf: object = None, **settings: str) -> None:
    """Serve ``app`` with the keys of the section, which are options by their names in a file.

    Instead of ``bind``, the names that other servers use in such files are accepted: ``host`` and
    ``port``, and waitress's ``listen`` (``paste.server_runner``: called with the application, the
    global configuration and the section). Raises :class:`SettingsError` for an invalid key or
    value, not ``SystemExit``, which ``pserve`` takes for success.
    """
    del global_conf
    if status := as_master(app, read_settings(_bound(settings), text=True)):
        sys.exit(status)


def _bound(settings: dict[str, str]) -> dict[str, str]:
    """The section with ``bind``, whatever the address was called there."""
    rest = settings.copy()
    addresses = {
        name: rest.pop(name) for name in ("bind", "listen", "host", "port") if name in rest
    }
    names = list(addresses)
    if names in (["host"], ["port"], ["host", "port"]):
        host, port = addresses.get("host", "127.0.0.1"), addresses.get("port", "8000")
        rest["bind"] = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    elif names == ["listen"]:  # with * for all interfaces
        rest["bind"] = " ".join(each.removeprefix("*") for each in addresses["listen"].split())
    elif names == ["bind"]:
        rest["bind"] = addresses["bind"]
    elif names:
        raise SettingsError(
            f"{' and '.join(names)} cannot be combined; use bind, listen, or host and port"
        )
    return rest
