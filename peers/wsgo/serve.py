"""Starts wsgo, which is no Python: serve.py WSGO MODULE:NAME PORT PROCESSES THREADS.

It looks for an `application` in the module that it is told, so that is `application.py` here.
"""

import os
import sys
from pathlib import Path

program, app, port, processes, threads = sys.argv[1:]
os.environ["WSGI_APP"] = app
places = (os.environ.get("PYTHONPATH"), str(Path(__file__).resolve().parent))
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, places))
words = ["--module", "application", "--http-socket", f"127.0.0.1:{port}"]
words += ["--processes", processes, "--workers", threads]
os.execv(program, [program, *words])  # noqa: S606 - it is to be the process that gets the signals
