"""Call an app in a loop, with no server: FOLDER PATH UPLOAD SECONDS. Prints calls, seconds and
processor seconds.

Nothing that serves the app from the same interpreter can answer more requests a second.
"""

from __future__ import annotations

import gc
import importlib
import io
import sys
from time import perf_counter, process_time

BATCH = 50


def start_response(status: str, headers: object, exc_info: object = None) -> None:
    """Take what the app says and drop it."""
    if status != "200 OK":
        raise SystemExit(f"the app answered {status}")


def main(folder: str, path: str, upload: int, seconds: float) -> None:
    """Call ``app`` of ``folder/app.py`` for so many seconds."""
    sys.path.insert(0, folder)
    app = importlib.import_module("app").app
    body = b"x" * upload
    template = {
        "REQUEST_METHOD": "POST" if upload else "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if upload:
        template["CONTENT_LENGTH"] = str(upload)

    def call() -> None:
        environ = template.copy()
        if upload:
            environ["wsgi.input"] = io.BytesIO(body)
        answer = app(environ, start_response)
        for _block in answer:
            pass
        if hasattr(answer, "close"):
            answer.close()

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
