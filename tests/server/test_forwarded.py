"""Trusted proxies: whose word counts, and for what."""

from __future__ import annotations

from typing import Any

import pytest
from onegate.net.forwarded import Forwarded
from onegate.settings_error import SettingsError

ALL = "forwarded,x-forwarded-for,x-forwarded-proto,x-forwarded-host"


def applied(
    fields: dict[str, str], *, allow: str = "127.0.0.1,10.0.0.0/8,::1", names: str = ALL,
    peer: str = "127.0.0.1", scheme: str = "http",
) -> dict[str, Any]:  # fmt: skip
    environ: dict[str, Any] = {
        "REMOTE_ADDR": peer,
        "REMOTE_PORT": "4711",
        "wsgi.url_scheme": scheme,
        "HTTP_HOST": "inside",
    }
    environ.update(
        {f"HTTP_{name.upper().replace('-', '_')}": text for name, text in fields.items()}
    )
    if scheme == "https":
        environ["HTTPS"] = "on"
    Forwarded(allow, names).apply(environ)
    return environ


def seen(environ: dict[str, Any]) -> tuple[str, str, str]:
    return environ["REMOTE_ADDR"], environ["wsgi.url_scheme"], environ["HTTP_HOST"]


UNCHANGED = ("127.0.0.1", "http", "inside")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, UNCHANGED),
        ({"X-Forwarded-For": "192.0.2.7"}, ("192.0.2.7", "http", "inside")),
        ({"X-Forwarded-Proto": "https"}, ("127.0.0.1", "https", "inside")),
        ({"X-Forwarded-Proto": "HTTPS"}, ("127.0.0.1", "https", "inside")),
        ({"X-Forwarded-Proto": "gopher"}, UNCHANGED),
        ({"X-Forwarded-Host": "example.org"}, ("127.0.0.1", "http", "example.org")),
        ({"X-Forwarded-Host": "exa mple"}, UNCHANGED),
        # Read from the right: what the client itself sent stands on the left.
        ({"X-Forwarded-For": "6.6.6.6, 192.0.2.7"}, ("192.0.2.7", "http", "inside")),
        ({"X-Forwarded-For": "192.0.2.7, 10.1.2.3"}, ("192.0.2.7", "http", "inside")),
        ({"X-Forwarded-For": "6.6.6.6, 192.0.2.7, 10.1.2.3"}, ("192.0.2.7", "http", "inside")),
        ({"X-Forwarded-For": "unknown"}, UNCHANGED),
        ({"X-Forwarded-For": "192.0.2.7, nonsense"}, UNCHANGED),
        ({"X-Forwarded-For": "192.0.2.7:4711"}, ("192.0.2.7", "http", "inside")),
        ({"X-Forwarded-For": "[2001:db8::7]:4711"}, ("2001:db8::7", "http", "inside")),
        ({"X-Forwarded-For": "2001:DB8:0:0:0::7"}, ("2001:db8::7", "http", "inside")),
        ({"X-Forwarded-For": "fe80::7%eth0"}, ("fe80::7%eth0", "http", "inside")),
        ({"X-Forwarded-For": "fe80::7%"}, UNCHANGED),
        ({"X-Forwarded-For": "192.0.2.7%eth0"}, UNCHANGED),
        ({"X-Forwarded-For": "192.0.2.007"}, UNCHANGED),
        (
            {"X-Forwarded-For": "6.6.6.6, 192.0.2.7", "X-Forwarded-Proto": "https, http"},
            ("192.0.2.7", "http", "inside"),
        ),
        ({"Forwarded": "for=192.0.2.7;proto=https;host=a.b"}, ("192.0.2.7", "https", "a.b")),
        ({"Forwarded": 'For="[2001:db8::7]:4711"'}, ("2001:db8::7", "http", "inside")),
        ({"Forwarded": 'for=192.0.2.7, for="10.0.0.1"'}, ("192.0.2.7", "http", "inside")),
        (
            {"Forwarded": 'for=6.6.6.6;proto=https, for="192.0.2.7"'},
            ("192.0.2.7", "http", "inside"),
        ),
        ({"Forwarded": 'for="192.0.2\\.7"'}, ("192.0.2.7", "http", "inside")),
        ({"Forwarded": "for=_hidden"}, UNCHANGED),
        ({"Forwarded": "for=192.0.2.7 nonsense"}, UNCHANGED),
        ({"Forwarded": ""}, UNCHANGED),
    ],
)
def test_what_a_trusted_peer_says(fields: dict[str, str], expected: tuple[str, str, str]) -> None:
    assert seen(applied(fields)) == expected


def test_nothing_is_believed_of_others() -> None:
    fields = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "https",
        "Forwarded": "for=6.6.6.6",
    }
    environ = applied(fields, peer="192.0.2.9")
    assert seen(environ) == ("192.0.2.9", "http", "inside")
    assert environ["HTTP_X_FORWARDED_FOR"] == "6.6.6.6"  # the application may judge for itself


def test_only_named_fields_are_believed() -> None:
    fields = {
        "X-Forwarded-For": "192.0.2.7",
        "X-Forwarded-Host": "evil",
        "Forwarded": "for=6.6.6.6",
    }
    environ = applied(fields, names="x-forwarded-for,x-forwarded-proto")
    assert seen(environ) == ("192.0.2.7", "http", "inside")


def test_the_port_is_of_the_address() -> None:
    assert "REMOTE_PORT" not in applied({"X-Forwarded-For": "192.0.2.7"})
    assert applied({"X-Forwarded-Proto": "https"})["REMOTE_PORT"] == "4711"


def test_https_is_told_and_taken_back() -> None:
    assert applied({"X-Forwarded-Proto": "https"})["HTTPS"] == "on"
    assert "HTTPS" not in applied({"X-Forwarded-Proto": "http"}, scheme="https")


@pytest.mark.parametrize(
    ("allow", "peer", "trusted"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("10.0.0.0/8", "10.255.0.1", True),
        ("10.0.0.0/8", "::ffff:10.0.0.1", True),
        # As numbers, these are in the networks.
        ("10.0.0.0/8", "::a00:1", False),
        ("::/96", "10.0.0.1", False),
        ("::1", "::1", True),
        ("0:0::0:1", "::1", True),
        ("2001:DB8::7", "2001:db8:0:0:0:0:0:7", True),
        ("2001:db8::7", "2001:db8::8", False),
        ("127.0.0.1", "::ffff:127.0.0.1", True),
        ("10.0.0.0/8,127.0.0.1", "127.0.0.1", True),
        ("fe80::1", "fe80::1%eth0", True),
        ("fe80::/10", "fe80::1%eth0", True),
        ("*", "192.0.2.1", True),
        ("", "127.0.0.1", False),
        ("127.0.0.1", "", True),  # a Unix socket, which the mode of its file protects
        ("127.0.0.1", "nonsense", False),
    ],
)
def test_who_is_trusted(allow: str, peer: str, trusted: bool) -> None:
    forwarded = Forwarded(allow, ALL)
    assert forwarded.trusts(peer) is trusted
    assert forwarded.trusts(peer) is trusted  # from memory


def test_the_memory_of_peers_is_bounded() -> None:
    forwarded = Forwarded("10.0.0.0/8", ALL)
    for number in range(3000):
        assert forwarded.trusts(f"10.0.{number >> 8}.{number & 255}")
    assert len(forwarded._known.entries) <= 1024


@pytest.mark.parametrize(
    ("allow", "names", "message"),
    [
        ("10.0.0.0/33", ALL, r"--forwarded-allow-ips: .*10\.0\.0\.0/33"),
        ("localhost", ALL, r"--forwarded-allow-ips: .*localhost"),
        ("*", "x-forwarded-four", r"--forwarded-headers: unknown field 'x-forwarded-four'"),
    ],
)
def test_settings_that_make_no_sense(allow: str, names: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Forwarded(allow, names)
