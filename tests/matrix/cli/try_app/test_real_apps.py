"""Three applications that we did not write, from the package index: Flask, Pyramid, Django.

Each is given by a requirements.txt that nobody has locked, and by traffic in a file.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

APPS = Path(__file__).parent / "apps"
HELPDESK = (
    *("--env", "DESK_SECRET=for tests only", "--env", "DJANGO_SUPERUSER_PASSWORD=secret"),
    *("--writable", "/data", "--env", "DESK_DATABASE={writable}/desk.sqlite3"),
    *("--setup", "python desk.py migrate --verbosity 0"),
    *("--setup", "python desk.py createsuperuser --noinput --username ann --email a@example.org"),
    *("--ignore", "header:expires", "--ignore", "cookie:csrftoken", "--ignore", "cookie:sessionid"),
    *("--ignore", 'regex:csrfmiddlewaretoken" value="([^"]*)"'),
)
CHOICES = {
    "httpbin": ("httpbin:app", ("--ignore", "json:$.uuid")),
    "kinto": (
        "kinto_app:app",
        # Everything is in the memory of one process.
        ("--workers", "1", "--ignore", "json:$.data.id", "--ignore", "json:$.data.last_modified"),
    ),
    "helpdesk": ("desk:application", HELPDESK),
}


@pytest.fixture
def an_app(command, tmp_path):
    """`an_app("httpbin", "--servers", …)`: in a copy of its folder, with its own traffic."""

    def run(name, *options):
        place = tmp_path / name
        shutil.copytree(APPS / name, place, ignore=shutil.ignore_patterns("__pycache__"))
        target, choices = CHOICES[name]
        [traffic] = place.glob("*.http")
        words = ("try", target, "--traffic", traffic.name, *choices, *options)
        return command(*words, cwd=place, timeout=300)

    return run


def requests_of(done, server):
    """The status that each request was answered with."""
    return [
        int(check["detail"].rpartition(" ")[2])
        for cell in done.result["cells"]
        for check in cell["checks"]
        if cell["server"] == server and check["id"][:2].isdigit() and ":" not in check["id"]
    ]


def test_httpbin_is_flask(an_app):
    done = an_app("httpbin", "--engine", "process")
    assert done.code == 0, done.out + done.err
    statuses = [302, 200, 200, 200, 404, 200, 200, 200, 302, 200, 200, 200, 200, 200, 200]
    assert requests_of(done, "onegate") == statuses
    assert '"theme": "dark"' in done.answer("02-get-cookies", "waitress")
    assert "/anything/blue" in done.answer("04-get-anything-made-json-colour", "gunicorn_sync")
    assert '"authenticated": true' in done.answer("12-get-basic-auth-ann-secret", "waitress")
    assert '"authenticated": true' in done.answer("13-get-digest-auth-auth-ann-secret", "waitress")
    parts = json.loads(done.answer("14-post-post", "onegate"))
    assert parts["form"] == {"note": "two\r\nlines"}
    assert "httpbin" in parts["files"]["file"]


def test_kinto_is_pyramid(an_app):
    done = an_app("kinto", "--engine", "process", "--servers", "onegate,waitress")
    assert done.code == 0, done.out + done.err
    assert requests_of(done, "waitress") == [200, 201, 201, 201, 200, 401]


def test_helpdesk_is_django_with_migrations_and_a_login(an_app):
    done = an_app("helpdesk", "--engine", "process", "--servers", "onegate,waitress")
    assert done.code == 0, done.out + done.err
    assert requests_of(done, "onegate") == [200, 302, 200, 200, 200, 404]
    assert "ann" in done.answer("03-get-tickets", "waitress")


def test_kinto_in_containers_under_few_descriptors(an_app, containers):
    limits = ("--limits", "default,fds256", "--servers", "onegate")
    done = an_app("kinto", "--engine", "docker", *limits)
    assert done.code == 0, done.out + done.err
    assert [cell["limits_observed"]["nofile"] for cell in done.result["cells"]][1] == 256
    assert done.outcomes("05-get-v1-buckets-shop-collections:same") == {"onegate": "pass"}


def test_httpbin_in_containers_on_two_pythons(an_app, containers):
    done = an_app("httpbin", "--engine", "docker", "--python", "3.11,3.13", "--servers", "onegate")
    assert done.code == 0, done.out + done.err
    assert [cell["python"] for cell in done.result["cells"]] == ["3.11", "3.13"]
    assert done.outcomes("01-get-cookies-set-theme-dark:same") == {"onegate": "pass"}
