"""Start a peer that has no command, or whose command lacks an option.

NAME FOLDER PORT THREADS WORKERS
"""

import importlib
import logging
import sys


def main(name: str, folder: str, port: int, threads: int, workers: int) -> None:
    """Serve ``app`` of ``folder/app.py`` on a port of 127.0.0.1 until a signal ends it."""
    sys.path.insert(0, folder)
    app = importlib.import_module("app").app
    server = importlib.import_module("cheroot.wsgi" if name == "cheroot" else name)
    if name == "waitress":
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        # select() cannot have descriptors above 1023.
        options = {"connection_limit": 4000, "backlog": 2048, "asyncore_use_poll": True}
        # Or the application would not get what a proxy says.
        options["clear_untrusted_proxy_headers"] = False
        server.serve(app, host="127.0.0.1", port=port, threads=threads, **options)
    elif name == "cheroot":
        serving = server.Server(
            ("127.0.0.1", port), app, numthreads=threads, max=threads, request_queue_size=2048
        )
        serving.keep_alive_conn_limit = 4000
        serving.start()
    elif name == "bjoern":
        server.run(app, "127.0.0.1", port)
    elif name in ("fastwsgi", "fastpysgi"):
        server.server.backlog = 2048
        server.server.tcp_nodelay = 1
        server.run(app, "127.0.0.1", port, loglevel=1, workers=workers)
    elif name == "freastal":
        server.serve(app, host="127.0.0.1", port=port, workers=workers)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
