"""Serves with Twisted's command, which wants a dot in the app's name: serve.py MODULE:NAME PORT."""

import sys

from twisted.application.twist._twist import Twist

app, port = sys.argv[1].replace(":", "."), sys.argv[2]
Twist.main(["twist", "web", "--wsgi", app, "--listen", f"tcp:{port}:interface=127.0.0.1"])
