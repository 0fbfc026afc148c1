"""Never answers /hello."""

import threading


def app(environ, start_response):
    threading.Event().wait()
