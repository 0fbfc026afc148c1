"""A small site: a page with many parts, a form, and a stream of events. Only PEP 3333.

It remembers what was asked for on which connection (``/asked``). An event of the stream is sent
when the page has told that it saw the one before: a stream that is held back gets stuck.
"""

from __future__ import annotations

import html
import json
import queue
import urllib.parse

PARTS = 24
EVENTS = 3
PIXEL = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8">'
    '<rect width="8" height="8"/></svg>'
)
PAGE = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Grüße</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
<form method="post" action="/form" enctype="multipart/form-data">
  <input name="name"> <input name="file" type="file"> <button>Send</button>
</form>
{"".join(f'<img src="/part/{number}.svg" alt="{number}">' for number in range(PARTS))}
<ol id="events"></ol>
<script type="module" src="/script.js"></script>
"""
SCRIPT = """
const source = new EventSource("/events");
source.onmessage = async (event) => {
  const line = document.createElement("li");
  line.textContent = event.data;
  document.getElementById("events").append(line);
  await fetch("/seen", { method: "POST", body: event.data });
};
source.addEventListener("end", () => { source.close(); document.title = "ended"; });
"""

asked: list[tuple[str, str, str]] = []
seen: queue.SimpleQueue[bytes] = queue.SimpleQueue()


def app(environ, start_response):
    """Answer one request."""
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    asked.append((method, path, environ["REMOTE_PORT"]))
    match method, path.split("/")[1]:
        case "GET", "":
            return answer(start_response, "text/html; charset=utf-8", PAGE)
        case "GET", "style.css":
            return answer(start_response, "text/css", "body { background: rgb(1, 2, 3) }")
        case "GET", "script.js":
            return answer(start_response, "text/javascript", SCRIPT)
        case "GET", "part":
            return answer(start_response, "image/svg+xml", PIXEL)
        case "GET", "asked":
            return answer(start_response, "application/json", json.dumps(asked))
        case "GET", "events":
            start_response("200 OK", [("Content-Type", "text/event-stream")])
            return events()
        case "POST", "seen":
            seen.put(environ["wsgi.input"].read())
            start_response("204 No Content", [])
            return []
        case "POST", "form":
            return answer(start_response, "text/html; charset=utf-8", said(environ))
    start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
    return []


def answer(start_response, kind: str, text: str) -> list[bytes]:
    """A whole body of a known length."""
    body = text.encode()
    fields = [("Content-Type", kind), ("Content-Length", str(len(body)))]
    start_response("200 OK", [*fields, ("Cache-Control", "no-store")])
    return [body]


def events():
    """Each after the page has seen the one before."""
    for number in range(EVENTS):
        yield f"data: event {number} ü\n\n".encode()
        seen.get(timeout=120)
    yield b"event: end\ndata: -\n\n"


def said(environ) -> str:
    """The body of the form, for the page that answers it."""
    body = environ["wsgi.input"].read()
    text = html.escape(body.decode("utf-8", "replace"))
    length = urllib.parse.quote(environ["CONTENT_LENGTH"])
    return f"<title>{len(body)} of {length}</title><pre>{text}</pre>"
