"""Another server for the instrument to work on: wsgiref, forked a few times. Not a good one.

plainserver MODULE:ATTR --chdir DIR --bind HOST:PORT --workers N
"""

import argparse
import importlib
import os
import signal
import sys
from socketserver import TCPServer
from wsgiref.handlers import SimpleHandler
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer


class Server(WSGIServer):
    request_queue_size = 1024

    def server_bind(self):
        TCPServer.server_bind(self)  # the base class asks the resolver for the host's name
        self.server_name, self.server_port = self.server_address
        self.setup_environ()


class Handler(WSGIRequestHandler):
    def log_message(self, *args):
        pass


def start_worker(server):
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        server.serve_forever()
    return pid


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("app")
    parser.add_argument("--chdir", default=".")
    parser.add_argument("--bind", default="127.0.0.1:8000")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    os.chdir(options.chdir)
    sys.path.insert(0, options.chdir)
    module, _, name = options.app.partition(":")
    app = getattr(importlib.import_module(module), name)
    ServerHandler.http_version = SimpleHandler.http_version = "1.1"
    ServerHandler.server_software = "plain"
    host, _, port = options.bind.rpartition(":")
    server = Server((host, int(port)), Handler)
    server.set_app(app)
    workers = [start_worker(server) for _ in range(options.workers)]

    def stop(*_):
        for pid in workers:
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
