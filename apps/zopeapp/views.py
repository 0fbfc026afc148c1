"""The views that etc/site.zcml registers, and how they are found."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from Products.Five.browser import BrowserView
from zExceptions import NotFound
from zope.component import queryMultiAdapter
from zope.interface import implementer
from zope.publisher.interfaces import IPublishTraverse
from zope.publisher.interfaces.browser import IBrowserPublisher
from ZPublisher.Iterators import IUnboundStreamIterator, filestream_iterator

FILES = Path(__file__).parent / "files"
TEXT = "text/plain; charset=utf-8"


@implementer(IBrowserPublisher)
class Publisher:
    """Finds the view of a path; Zope's own finds none for methods other than GET and POST."""

    def __init__(self, context: Any, request: Any) -> None:
        self.context = context

    def publishTraverse(self, request: Any, name: str) -> Any:
        view = queryMultiAdapter((self.context, request), name=name)
        if view is None or request["PATH_INFO"].endswith("/"):
            raise NotFound(name)
        return view

    def browserDefault(self, request: Any) -> Any:
        raise NotImplementedError  # which is a 404: there is no page of the root


class View(BrowserView):
    """Answers its methods with ``answer()`` and names them for others."""

    methods: tuple[str, ...] = ("GET", "HEAD")

    def __call__(self) -> Any:
        if self.request.method not in self.methods:
            self.request.response.setStatus(405)
            self.request.response.setHeader("Allow", ", ".join(self.methods))
            return "405\n"
        return self.answer()

    def answer(self) -> Any:
        raise NotImplementedError

    def as_text(self, content: str) -> str:
        self.request.response.setHeader("Content-Type", TEXT)
        return content

    def as_json(self, value: Any) -> bytes:
        self.request.response.setHeader("Content-Type", "application/json")
        return json.dumps(value).encode()


@implementer(IPublishTraverse)
class Below(View):
    """A view of the paths one below it."""

    name = ""

    def publishTraverse(self, request: Any, name: str) -> Any:
        if self.name:
            raise NotFound(name)
        self.name = name
        return self


class Failure(BrowserView):
    """The page of an exception, whose status is set already."""

    def __call__(self) -> str:
        self.request.response.setHeader("Content-Type", TEXT)
        return f"{self.request.response.getStatus()}\n"


class Hello(View):
    def answer(self) -> str:
        return self.as_text("Hello, World!\n")


class Framework(View):
    def answer(self) -> bytes:
        return self.as_json({"framework": "zope", "version": version("zope")})


class Echo(View):
    methods = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PROPFIND")

    def answer(self) -> bytes:
        body = self.request.stdin.read()
        return self.as_json(
            {
                "method": self.request.method,
                "type": self.request.environ.get("CONTENT_TYPE", ""),
                "length": len(body),
                "sha256": sha256(body).hexdigest(),
            }
        )


def names(values: dict[str, Any]) -> dict[str, list[Any]]:
    """Each value of a query or a form as a list; Zope has one only if there are several."""
    return {name: each if isinstance(each, list) else [each] for name, each in values.items()}


class Query(View):
    def answer(self) -> bytes:
        return self.as_json(names(self.request.form))


class Form(View):
    methods = ("POST",)

    def answer(self) -> bytes:
        fields: dict[str, list[str]] = {}
        files = []
        for field, values in names(self.request.form).items():
            for value in values:
                if isinstance(value, str):
                    fields.setdefault(field, []).append(value)
                    continue
                content = value.read()
                found = {"field": field, "name": value.filename, "size": len(content)}
                files.append({**found, "sha256": sha256(content).hexdigest()})
        return self.as_json({"fields": fields, "files": files})


class PathText(Below):
    def answer(self) -> bytes:
        return self.as_json({"text": self.name})


class Headers(View):
    def answer(self) -> bytes:
        named = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in self.request.environ.items()
            if name.startswith("HTTP_X_")
        }
        return self.as_json(named)


class Cookies(View):
    def answer(self) -> bytes:
        self.request.response.setCookie("first", "1", path="/")
        self.request.response.setCookie("second", "2", path="/", http_only=True)
        return self.as_json(dict(self.request.cookies))


class Redirect(View):
    def answer(self) -> None:
        self.request.response.redirect("/hello", status=302)


class Status(Below):
    def answer(self) -> str:
        self.request.response.setStatus(int(self.name))
        return "" if self.name in ("204", "304") else self.as_text(f"{self.name}\n")


class Error(View):
    def answer(self) -> None:
        raise RuntimeError("a secret of the application")


@implementer(IUnboundStreamIterator)
class Lines:
    """What Zope sends as it comes; a generator it would take for a text."""

    def __init__(self) -> None:
        self.lines = iter(b"line %d\n" % number for number in range(5))

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self.lines)


class Stream(View):
    def answer(self) -> Lines:
        self.request.response.setHeader("Content-Type", TEXT)
        return Lines()


class Octets(Below):
    def answer(self) -> bytes:
        self.request.response.setHeader("Content-Type", "application/octet-stream")
        return (bytes(range(256)) * (int(self.name) // 256 + 1))[: int(self.name)]


class File(Below):
    def answer(self) -> filestream_iterator:
        if not (FILES / self.name).is_file():
            raise NotFound(self.name)
        found = filestream_iterator(str(FILES / self.name))
        self.request.response.setHeader("Content-Type", "text/plain")
        self.request.response.setHeader("Content-Length", str(len(found)))
        return found


class Slow(View):
    def answer(self) -> str:
        time.sleep(0.2)
        return self.as_text("slow\n")
