"""Call an app in a loop, with no server: FOLDER WHAT UPLOAD SECONDS. Prints calls, seconds and
processor seconds.

WHAT is a path (``/hello``), or else the file of requests that ``bench/traffic.py`` has written; it
is recognised by being there. Nothing that serves the app from the same interpreter can answer more
requests a second.
"""

from __future__ import annotations

import gc
import importlib
import io
import itertools
import sys
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from bench import traffic

BATCH = 50
MOST = 5000  # environs that are made beforehand

TEMPLATE: dict[str, Any] = {
    "SCRIPT_NAME": "",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "8000",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "127.0.0.1",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": False,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}


def start_response(status: str, headers: object, exc_info: object = None) -> None:
    """Take what the app says and drop it."""
    if status != "200 OK":
        raise SystemExit(f"the app answered {status}")


def environ_of(request: bytes) -> tuple[dict[str, Any], bytes]:
    """The environ of a request, and its content."""
    head, _, content = request.partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    method, target, _ = line.split(" ")
    path, _, query = target.partition("?")
    environ = {**TEMPLATE, "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}
    for field in fields:
        name, _, value = field.partition(": ")
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return environ, content


def requests(what: str, upload: int) -> list[bytes]:
    """The requests of a file, or the one of a path."""
    if not Path(what).is_file():
        method, length = ("POST", f"Content-Length: {upload}\r\n") if upload else ("GET", "")
        head = f"{method} {what} HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n{length}\r\n"
        return [head.encode() + b"x" * upload]
    return traffic.read(Path(what))[:MOST]


def main(folder: str, what: str, upload: int, seconds: float) -> None:
    """Call ``app`` of ``folder/app.py`` for so many seconds."""
    sys.path.insert(0, folder)
    app = importlib.import_module("app").app
    templates = itertools.cycle([environ_of(each) for each in requests(what, upload)])

    def call() -> None:
        template, content = next(templates)
        environ = template.copy()
        environ["wsgi.input"] = io.BytesIO(content)
        response = app(environ, start_response)
        for _block in response:
            pass
        if hasattr(response, "close"):
            response.close()

    for _warm in range(BATCH):
        call()
    gc.collect()
    calls, begin, cpu = 0, perf_counter(), process_time()
    while (elapsed := perf_counter() - begin) < seconds:
        for _each in range(BATCH):
            call()
        calls += BATCH
    print(calls, elapsed, process_time() - cpu)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
