"""What apps have noted, for the test to ask for: an app of its own."""

import json

events = []


def note(event):
    events.append(event)


def app(environ, start_response):
    """The events so far, as JSON; ``?clear`` forgets them, ``?mark=…`` is written to the log."""
    content = json.dumps(events).encode()
    if environ["QUERY_STRING"] == "clear":
        events.clear()
    if environ["QUERY_STRING"].startswith("mark="):
        environ["wsgi.errors"].write(environ["QUERY_STRING"] + "\n")
    start_response(
        "200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(content)))]
    )
    return [content]
