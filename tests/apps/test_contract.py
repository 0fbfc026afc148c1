"""What every app answers, called directly under ``wsgiref.validate``: no server in between."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from .conftest import Loaded

BODY = b"Hello, World!\n"
HEADERS = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(BODY)))]


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: str
    headers: list[tuple[str, str]]
    body: bytes


def ask(loaded: Loaded, path: str, method: str = "GET") -> Answer:
    """Call the app as PEP 3333 says; its validator raises AssertionError for any offence."""
    environ: dict[str, object] = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path}
    # What PEP 3333 does not ask for, but every server sets.
    environ |= {"QUERY_STRING": "", "REMOTE_ADDR": "127.0.0.1"}
    setup_testing_defaults(environ)
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status, headers, exc_info=None):  # type: ignore[no-untyped-def]
        assert exc_info is None
        started.append((status, headers))
        return lambda data: None

    blocks = validator(loaded.call)(environ, start_response)
    try:
        body = b"".join(blocks)
    finally:
        blocks.close()
    [(status, headers)] = started
    return Answer(status=status, headers=headers, body=body)


def test_hello_is_the_same_octets_in_every_framework(loaded: Loaded) -> None:
    """Fields in this order and spelling, and no others."""
    assert ask(loaded, "/hello") == Answer(status="200 OK", headers=HEADERS, body=BODY)


def test_hello_does_not_change_when_asked_again(loaded: Loaded) -> None:
    assert ask(loaded, "/hello") == ask(loaded, "/hello")


def test_head_has_the_fields_of_get(loaded: Loaded) -> None:
    """The content is the server's to leave out (Django sends it), so it is either one here."""
    answer = ask(loaded, "/hello", "HEAD")
    assert (answer.status, answer.headers) == ("200 OK", HEADERS)
    assert answer.body in (b"", BODY)


def test_framework_reports_what_is_installed(loaded: Loaded) -> None:
    answer = ask(loaded, "/framework")
    assert answer.status == "200 OK"
    assert dict(answer.headers)["Content-Type"] == "application/json"
    assert json.loads(answer.body) == {"framework": loaded.framework, "version": loaded.version}


def test_other_paths_are_not_found(loaded: Loaded) -> None:
    for path in ("/", "/hello/", "/Hello", "/frameworks"):
        assert ask(loaded, path).status.split()[0] == "404", path


def test_installed_version_is_the_locked_one(loaded: Loaded) -> None:
    pins = [
        requirement
        for line in (loaded.folder / "requirements.txt").read_text().splitlines()
        if line.strip()
        and not line.startswith((" ", "#"))
        and (requirement := Requirement(line.removesuffix("\\").strip()))
        and canonicalize_name(requirement.name) == loaded.framework
        and (requirement.marker is None or requirement.marker.evaluate())
    ]
    expected = [f"=={loaded.version}"] if loaded.framework else []
    assert [str(pin.specifier) for pin in pins] == expected
