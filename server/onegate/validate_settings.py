"""Validation of settings, before anything is bound.

:data:`SYNTAX` checks what the value alone decides, :data:`RESOURCES` what depends on the system
(a file, a user); each option of free text is in one of the two. Log files are in neither: they are
opened earlier (:mod:`onegate.master.execution_environment`), so that the errors can be logged.
"""

from __future__ import annotations

import logging

from onegate.net import listeners
from onegate.net.forwarded import Forwarded
from onegate.process.pidfile import PidFile
from onegate.process.spool import check_spool
from onegate.settings_error import SettingsError
from onegate.wsgi.loader import LoadError, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext
    from typing import Any

    from onegate.config.settings import Settings


log = logging.getLogger("onegate.error")


def _app(target: str) -> None:
    try:
        if target:  # a Server has it at hand
            parse(target)
    except LoadError as error:
        raise SettingsError(str(error)) from None


def _bind(addresses: tuple[str, ...]) -> None:
    for address in addresses:
        listeners.check(address)


def _status(address: str) -> None:
    if address:
        listeners.check(address, "--status")


def _access_log(text: str) -> None:
    if text != "off":
        from onegate.logs.access_format import formatter  # noqa: PLC0415 - only if one is configured

        formatter(text)


_SET_BY_REQUEST = {
    *("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "SERVER_PROTOCOL", "REQUEST_URI", "RAW_URI"),
    *("REMOTE_ADDR", "REMOTE_PORT", "CONTENT_LENGTH", "wsgi.input", "wsgi.early_hints"),
}
"""Keys of the environ that each request sets, or that say what it has."""


def _environ(pairs: tuple[tuple[str, str], ...]) -> None:
    for name, _ in pairs:
        if name in _SET_BY_REQUEST:
            raise SettingsError(f"--environ {name}: each request sets it; choose another name")
        if name == "SCRIPT_NAME":
            raise SettingsError(f"--environ {name}: use --root-path instead")


SYNTAX: dict[str, Callable[[Any], object]] = {
    "app": _app,
    "bind": _bind,
    "status": _status,
    "access_log": _access_log,
    "environ": _environ,
    "forwarded_allow_ips": lambda addresses: Forwarded(addresses, ""),
    "forwarded_headers": lambda names: Forwarded("", names),
}
"""By the name of an option, what raises :class:`SettingsError` if its value is invalid."""


def _privileges(settings: Settings) -> None:
    if settings.user or settings.group:
        from onegate.process.privileges import check  # noqa: PLC0415 - only when started as root

        check(settings.user, settings.group)


def _spool(settings: Settings) -> None:
    if warning := check_spool(settings):
        log.warning("%s", warning)


def _certificate(settings: Settings) -> SSLContext | None:
    if not settings.certfile:
        if settings.keyfile:
            raise SettingsError(
                f"--keyfile {settings.keyfile}: no certificate for this key; add --certfile FILE"
            )
        return None
    from onegate.net import tls  # noqa: PLC0415 - OpenSSL costs megabytes that only TLS is worth

    return tls.context(settings.certfile, settings.keyfile)


RESOURCES: dict[tuple[str, ...], Callable[[Settings], Any]] = {
    ("user", "group"): _privileges,
    ("spool",): _spool,
    ("pidfile",): lambda settings: PidFile(settings.pidfile).check(),
    ("certfile", "keyfile"): _certificate,
}
"""The same for what depends on the system; by the names of the options."""


def validate(settings: Settings) -> SSLContext | None:
    """Check every option; return a context with ``certfile`` and ``keyfile``, if they are given.

    A key is read here because only root may be able to. Raises :class:`SettingsError`.
    """
    for name, check in SYNTAX.items():
        check(getattr(settings, name))
    found = {names: look(settings) for names, look in RESOURCES.items()}
    context: SSLContext | None = found["certfile", "keyfile"]
    return context
