"""`wsgi-matrix try` in containers: what is around an app, a server of one's own, memory."""

from __future__ import annotations

import io
import json
import os
import tarfile

import pytest
from wsgi_matrix.config import matrix_toml
from wsgi_matrix.engines.docker.base_images import ensure_base
from wsgi_matrix.engines.docker.client import LABEL, OWNER
from wsgi_matrix.util.process_owner import owner

from .conftest import TOP

DATABASE = """
import socketserver
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        if self.request.recv(99):
            self.request.sendall(b"+PONG")
socketserver.ThreadingTCPServer(("0.0.0.0", 6379), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def base(containers):
    """The base image of Python 3.11, and a builder of images on it."""
    python = matrix_toml.built_in(TOP / "build").pythons["3.11"]
    found = ensure_base(containers, python, lambda *_: None, TOP / "build")
    made = []

    def build(name, dockerfile, **files):
        # Another run on this engine makes and removes images of its own.
        name = f"{name}:{os.getpid()}"
        context = io.BytesIO()
        files = {"Dockerfile": f"FROM {found.reference}\n{dockerfile}", **files}
        with tarfile.open(fileobj=context, mode="w") as archive:
            for file, content in files.items():
                entry = tarfile.TarInfo(file)
                entry.size = len(content.encode())
                archive.addfile(entry, io.BytesIO(content.encode()))
        context.seek(0)
        for event in containers.build(
            fileobj=context, custom_context=True, tag=name, network_mode="none", decode=True,
            rm=True, forcerm=True,
        ):  # fmt: skip
            assert "error" not in event, event
        made.append(name)
        return name

    yield build
    for name in made:
        containers.remove_image(name)


def left(client, pid):
    """Labels of what the run with this pid has on the engine: containers, and volumes of cells.

    Other runs use the engine, and what they have around their apps comes and goes.
    """
    labels = {"label": [f"{LABEL}=environment"]}
    volumes = client.volumes(filters=labels)["Volumes"] or []
    found = client.containers(all=True, filters=labels) + volumes
    machine = owner().rsplit(".", 2)[0]
    return [each["Labels"] for each in found if f"{machine}.{pid}." in each["Labels"][OWNER]]


def test_all_that_is_around_an_app(try_shop, folder, base, containers):
    """A database by its name, a secret, a folder, a set-up command; nothing of it is left."""
    image = base(
        "wsgi-matrix-test-db",
        'COPY db.py /db.py\nEXPOSE 6379\nCMD ["python3", "/db.py"]\n',
        **{"db.py": DATABASE},
    )
    (folder / "token.txt").write_text("s3cret")
    options = (
        *("--service", f"db={image}", "--env", "SHOP_DB=db", "--env", "SHOP=ü $x"),
        *("--secret", "token=token.txt", "--env", "SHOP_SECRET=/run/secrets/token"),
        *("--writable", "/data", "--env", "SHOP_FOLDER=/data"),
        *("--setup", "python -c \"open('/data/made', 'w').write('up')\""),
        *("--ready-path", "/environment"),
    )
    done = try_shop("/environment", options=options, engine="docker")
    assert done.code == 0, done.out + done.err
    told = json.loads(done.answer("01-get-environment", "waitress"))
    assert told == {"variable": "ü $x", "made": "up", "secret": "s3cret", "db": "+PONG"}
    assert done.outcomes("unchanged") == {"onegate": "pass", "waitress": "pass"}
    assert left(containers, done.pid) == []


def test_what_is_beside_an_app_and_ends_is_told_with_its_log(try_shop, base):
    image = base(
        "wsgi-matrix-test-ends",
        'EXPOSE 6379\nCMD ["python3", "-c", "raise SystemExit(\'no password\')"]\n',
    )
    done = try_shop("/", options=("--service", f"db={image}"), servers="onegate", engine="docker")
    assert done.code == 5
    assert "db" in done.complaint
    assert "exited" in done.complaint
    assert "no password" in done.complaint


def test_an_image_that_is_not_there(try_shop):
    options = ("--service", "db=localhost:1/nowhere")
    done = try_shop("/", options=options, servers="onegate", engine="docker")
    assert done.code == 5
    assert "no image localhost:1/nowhere:latest" in done.complaint


OWN = """
import importlib, signal, sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

class Server(ThreadingMixIn, WSGIServer):
    request_queue_size = 128
    daemon_threads = True

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
module, _, name = sys.argv[1].partition(":")
app = getattr(importlib.import_module(module), name)
make_server("127.0.0.1", int(sys.argv[2]), app, server_class=Server).serve_forever()
"""


def test_a_server_image_of_their_own_is_the_reference(try_shop, base):
    image = base("wsgi-matrix-test-own", "COPY serve.py /opt/serve.py\n", **{"serve.py": OWN})
    options = ("--server-image", image, "--server-command", "python3 /opt/serve.py {app} {port}")
    done = try_shop("/", "/echo", options=options, servers="onegate", engine="docker")
    assert done.code == 0, done.out
    assert [cell["server"] for cell in done.result["cells"]] == ["own", "onegate"]
    assert done.outcomes("02-get-echo:same") == {"onegate": "pass"}
    assert done.outcomes("unchanged") == {"own": "pass", "onegate": "pass"}


def test_a_container_that_is_killed_for_memory(try_shop):
    options = ("--limits", "tight")
    done = try_shop("/", "/eat", options=options, servers="onegate", engine="docker")
    assert done.code == 1
    assert done.outcomes("02-get-eat") == {"onegate": "fail"}
    assert "out of memory" in done.detail("clean-exit", "onegate")


def test_the_import_error_from_inside_a_container(try_shop, folder):
    (folder / "shop.py").write_text("import nowhere_to_be_found\n")
    done = try_shop("/", servers="onegate", engine="docker")
    assert done.code == 5
    assert "No module named 'nowhere_to_be_found' (shop.py, line 1)" in done.complaint


def test_log_lines_of_a_container_stand_with_their_request(try_shop, base):
    done = try_shop("/logs?one", "/", "/logs?two", engine="docker", servers="onegate")
    one, two = (done.detail(name, "onegate") for name in ("01-get-logs-one", "03-get-logs-two"))
    assert "a line about one" in one
    assert "a line about two" in two
    assert "a line about two" not in one
    assert "a line about one" not in two
    assert "image sha256" in done.out
