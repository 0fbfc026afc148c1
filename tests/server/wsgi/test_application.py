"""The application side: how it is called (PEP 3333, "The Application/Framework Side")."""

from __future__ import annotations

import pytest

from tests.server.wsgi.conftest import Apps


def test_W1_called_with_two_positional_arguments(apps: Apps) -> None:
    assert apps.ask("callables").text == "2 positional, 0 by name"


@pytest.mark.parametrize("kind", ["Class", "method", "instance"])
def test_W2_any_callable_is_an_application(either: Apps, kind: str) -> None:
    assert either.ask(f"callables:{kind}").text == kind.lower()


def test_W3_imported_once_and_called_many_times(apps: Apps) -> None:
    server = apps.server
    for _ in range(3):
        assert apps.ask("callables").status == 200
    with server.connect() as client:
        apps.send("callables", client=client)
        apps.send("callables", client=client)
        assert client.response().status == client.response().status == 200
    assert apps.events().count("callables imported") <= 1


def test_W78_single_threaded_by_default(apps: Apps) -> None:
    """One call at a time: what one has noted, the next sees, whole."""
    clients = [apps.send("environ_json") for _ in range(20)]
    for client in clients:
        with client:
            assert b'"wsgi.multithread": ["bool", "False"]' in client.response().content
