"""A shop in plain WSGI: sessions, tokens, and whatever else can go wrong, by path."""

import itertools
import json
import os
import socket
import time
import uuid
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs

visits = itertools.count(1)


def app(environ, start_response):
    path = environ["PATH_INFO"].encode("latin-1").decode()
    page = PAGES.get(path, not_found)
    status, fields, body = page(environ)
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), *fields])
    return [body.encode()] if isinstance(body, str) else body


def home(environ):
    return "200 OK", [], f"a shop at {environ['HTTP_HOST']}\n"


def echo(environ):
    size = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(size).decode()
    fields = {name: value for name, value in sorted(environ.items()) if name.startswith("HTTP_")}
    said = {"query": environ["QUERY_STRING"], "body": body, **fields}
    return "200 OK", [], json.dumps(said)


def login(environ):
    """A form with a token; who sends it back, and the cookie with it, is let in."""
    cookies = SimpleCookie(environ.get("HTTP_COOKIE", ""))
    if environ["REQUEST_METHOD"] == "GET":
        token = f"{uuid.uuid4()}+/="
        cookie = ("Set-Cookie", f"seen={token.split('+', maxsplit=1)[0]}; Path=/; Secure; HttpOnly")
        return "200 OK", [cookie], f'<input name="csrf" value="{token}">\n'
    form = parse_qs(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode())
    seen = cookies["seen"].value if "seen" in cookies else ""
    if form.get("csrf") != [f"{seen}+/="]:
        return "403 Forbidden", [], f"no: {form} {seen}"
    fields = [("Set-Cookie", "who=ann; Path=/"), ("Location", "/basket?of=ann")]
    return "303 See Other", fields, ""


def basket(environ):
    cookies = SimpleCookie(environ.get("HTTP_COOKIE", ""))
    return "200 OK", [], f"{sorted(cookies)} {environ['QUERY_STRING']}"


def changing(environ):
    """What is another each time: a field, a cookie, a member, something in the text."""
    fields = [
        ("X-Request-Id", uuid.uuid4().hex),
        ("Set-Cookie", f"visit={uuid.uuid4().hex}; Path=/"),
        ("Content-Type", "application/json"),
    ]
    items = [{"id": uuid.uuid4().hex, "name": name} for name in ("a", "b")]
    return "200 OK", fields, json.dumps({"items": items, "same": 1})


def page(environ):
    return "200 OK", [], f'<h1>Welcome</h1>\n<input id="x" value="{uuid.uuid4()}"> and more\n'


def environment(environ):
    """What the cell has around it."""
    told = {"variable": os.environ.get("SHOP", "")}
    if folder := os.environ.get("SHOP_FOLDER"):
        told["made"] = Path(folder, "made").read_text()
        Path(folder, "more").write_text("x")
    if secret := os.environ.get("SHOP_SECRET"):
        told["secret"] = Path(secret).read_text()
    if host := os.environ.get("SHOP_DB"):
        with socket.create_connection((host, 6379), 5) as db:
            db.sendall(b"PING\r\n")
            told["db"] = db.recv(100).decode()
    return "200 OK", [], json.dumps(told)


def eat(environ):
    kept = b"x" * (400 << 20)
    return "200 OK", [], str(len(kept))


def error(environ):
    raise RuntimeError("broken on purpose")


def large(environ):
    return "200 OK", [], (b"x" * (1 << 20) for _ in range(100))


def endless(environ):
    return "200 OK", [], iter(lambda: b"x" * 65536, b"")


def drip(environ):
    def one():
        while True:
            yield b"x"
            time.sleep(0.05)

    return "200 OK", [], one()


def unavailable(environ):
    return "503 Service Unavailable", [], "later\n"


def leave(environ):
    os._exit(7)


def differs(environ):
    """Tells the server by the environ, as apps do that look for one."""
    return "200 OK", [], f"threads: {environ['wsgi.multithread']}\n"


MADE = []
"""Paths that a PUT made, in this process."""


def made(environ):
    """What nobody has PUT before is not found."""
    if environ["REQUEST_METHOD"] == "PUT":
        MADE.append(environ["PATH_INFO"])
    return ("200 OK", [], "made\n") if environ["PATH_INFO"] in MADE else not_found(environ)


def logs(environ):
    print(f"a line about {environ['QUERY_STRING']}", file=environ["wsgi.errors"], flush=True)
    return "500 Internal Server Error", [], "see the log\n"


def lines(environ):
    return "200 OK", [], f"the first line\nthreads: {environ['wsgi.multithread']}\nthe last\n"


def not_found(environ):
    return "404 Not Found", [], f"no {environ['PATH_INFO']!r}\n"


PAGES = {
    "/": home,
    "/echo": echo,
    "/login": login,
    "/basket": basket,
    "/changing": changing,
    "/page": page,
    "/environment": environment,
    "/eat": eat,
    "/error": error,
    "/large": large,
    "/endless": endless,
    "/drip": drip,
    "/unavailable": unavailable,
    "/exit": leave,
    "/differs": differs,
    "/made": made,
    "/logs": logs,
    "/lines": lines,
}
