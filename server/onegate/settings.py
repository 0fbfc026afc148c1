"""Every option, declared once: name, type, default, what it does and why it is what it is.

From these declarations come the command line, ``--help`` and the documentation.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any


class SettingsError(Exception):
    """A setting that cannot be used. The text names it and says what would do."""


def whole(minimum: int) -> Callable[[str], int]:
    """A reader for whole numbers of at least ``minimum``."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < minimum:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of {minimum} or more")
        return int(text)

    return read


def seconds(text: str) -> float:
    """Seconds, as a positive decimal number."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of seconds")
    return value


_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def size(text: str) -> int:
    """Octets, with an optional k, M or G for powers of 1024."""
    number, unit = (text[:-1], text[-1]) if text[-1:].isalpha() else (text, "")
    if not number.isascii() or not number.isdigit() or unit.lower() not in _UNITS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 65536, 64k or 1G")
    return int(number) * _UNITS[unit.lower()]


def option(
    default: Any,
    read: Callable[[str], Any],
    help: str,  # noqa: A002 - the name that argparse uses
    *,
    flags: tuple[str, ...] = (),
    metavar: str = "N",
    repeat: bool = False,
) -> Any:
    """Declare an option. ``flags``: short forms; the long one follows from the field's name."""
    metadata = {"read": read, "help": help, "flags": flags, "metavar": metavar, "repeat": repeat}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the server was told. Sizes are in octets, times in seconds."""

    app: str = ""
    bind: tuple[str, ...] = option(
        ("127.0.0.1:8000",),
        str,
        "listen on HOST:PORT, [IPV6]:PORT or unix:PATH; may be repeated; port 0 lets the system"
        " choose and prints what it chose",
        flags=("-b",),
        metavar="ADDRESS",
        repeat=True,
    )
    workers: int = option(1, whole(1), "number of worker processes", flags=("-w",))
    threads: int = option(
        1,
        whole(1),
        "calls of the application at once in a worker; with 1 a worker never interleaves them",
    )
    chdir: str = option(
        "", str, "go to this folder before the application is loaded", metavar="DIR"
    )
    backlog: int = option(2048, whole(1), "connections that the kernel may hold for us")
    head_timeout: float = option(
        30.0, seconds, "for a request's head, from the first octet or the connect", metavar="S"
    )
    body_timeout: float = option(
        30.0, seconds, "for every 16 KiB of a request's content", metavar="S"
    )
    keepalive: float = option(
        75.0,
        seconds,
        "how long a connection may wait for its next request; more than the 60 s after which the"
        " usual load balancers let go, so that it is they who close",
        flags=("--keep-alive",),
        metavar="S",
    )
    write_timeout: float = option(
        30.0, seconds, "in which a client has to take 16 KiB of an answer", metavar="S"
    )
    graceful_timeout: float = option(
        30.0, seconds, "for requests in flight when the server stops", metavar="S"
    )
    forwarded_allow_ips: str = option(
        "127.0.0.1,::1",
        str,
        "addresses and networks of proxies that are believed about their clients, * for all",
        metavar="LIST",
    )
    forwarded_headers: str = option(
        "x-forwarded-for,x-forwarded-proto",
        str,
        "which of forwarded, x-forwarded-for, x-forwarded-proto and x-forwarded-host such a proxy"
        " is known to set",
        metavar="LIST",
    )
    proxy_protocol: bool = option(
        False,
        bool,
        "require a PROXY protocol header, version 1 or 2, of the peers in --forwarded-allow-ips",
    )
    certfile: str = option("", str, "certificate chain in PEM; serves TLS", metavar="FILE")
    keyfile: str = option("", str, "its private key in PEM, if in a file apart", metavar="FILE")
    timeout: float = option(30.0, seconds, "x")
    drain_delay: float = option(0.0, float, "x")
    preload: bool = option(False, bool, "x")
    max_requests: int = option(0, int, "x")
    max_requests_jitter: int = option(0, int, "x")
    max_worker_memory: int = option(0, size, "x")
    max_worker_lifetime: float = option(0.0, float, "x")
    raise_nofile: bool = option(False, bool, "x")
    worker_connections: int = option(0, int, "x")
    socket_mode: int = option(0o666, int, "x")
    user: str = option("", str, "x")
    group: str = option("", str, "x")
    pidfile: str = option("", str, "x")
    reload: bool = option(False, bool, "x")
    status: str = option("", str, "x")
    limit_request_line: int = option(
        8190, size, "octets of a request line; RFC 9112 asks for 8000 at least", metavar="SIZE"
    )
    limit_request_fields: int = option(100, whole(1), "field lines of a request")
    limit_request_field_size: int = option(8190, size, "octets of a field line", metavar="SIZE")
    limit_request_head: int = option(65536, size, "octets of a whole head", metavar="SIZE")
    limit_request_body: int = option(1 << 30, size, "octets of a request's content", metavar="SIZE")
    body_memory: int = option(
        512 << 10, size, "octets of a content kept in memory; more is spooled", metavar="SIZE"
    )
    response_memory: int = option(
        1 << 20, size, "octets of an answer kept in memory for a slow client", metavar="SIZE"
    )
    spool: str = option(
        "auto",
        str,
        'folder for contents and answers too large for memory; "none" to use no disk',
        metavar="DIR",
    )


def parser() -> argparse.ArgumentParser:
    """The command line of :class:`Settings`."""
    from onegate import __version__  # noqa: PLC0415 - the package imports nothing of its own

    result = argparse.ArgumentParser(
        prog="onegate",
        description="Serve a WSGI application over HTTP/1.1.",
        allow_abbrev=False,
    )
    result.add_argument("app", metavar="MODULE:APP", help="for example wsgi:app or site:make_app()")
    result.add_argument("--version", action="version", version=f"onegate {__version__}")
    for each in fields(Settings):
        if not each.metadata:
            continue
        default: Any = each.default
        # A long form among the flags takes the place of the one that follows from the name.
        name = "--" + each.name.replace("_", "-")
        names = [*each.metadata["flags"]]
        if not any(flag.startswith("--") for flag in names):
            names.append(name)
        if default is False:
            result.add_argument(name, action="store_true", help=each.metadata["help"])
            continue
        if each.metadata["repeat"]:
            default = ", ".join(default)
        result.add_argument(
            *names,
            dest=each.name,
            type=each.metadata["read"],
            action="append" if each.metadata["repeat"] else "store",
            metavar=each.metadata["metavar"],
            help=f"{each.metadata['help']} (default: {default})"
            if default
            else each.metadata["help"],
        )
    return result


def from_arguments(arguments: list[str]) -> Settings:
    """Read a command line. Exits with status 2 and one line on standard error if it is wrong."""
    given = vars(parser().parse_args(arguments))
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
        if value is not None
    }
    return Settings(**values)
