"""The views of the project."""

from __future__ import annotations

import time
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path as FilePath

from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import redirect
from django.views import View
from django.views.decorators.http import require_safe

FILES = FilePath(__file__).parents[1] / "files"
TEXT = "text/plain; charset=utf-8"


@require_safe
def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Hello, World!\n", content_type="text/plain; charset=utf-8")


@require_safe
def framework(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"framework": "django", "version": version("django")})


class Echo(View):
    """What arrived, for any method; a class has a method for each, and for HEAD and OPTIONS."""

    http_method_names = (*View.http_method_names, "propfind")

    def get(self, request: HttpRequest) -> JsonResponse:
        body = request.body
        return JsonResponse(
            {
                "method": request.method,
                "type": request.headers.get("Content-Type", ""),
                "length": len(body),
                "sha256": sha256(body).hexdigest(),
            }
        )

    post = put = patch = delete = propfind = get


class Query(View):
    def get(self, request: HttpRequest) -> JsonResponse:
        return JsonResponse(dict(request.GET.lists()))


class Form(View):
    def post(self, request: HttpRequest) -> JsonResponse:
        files = []
        for field, uploaded in request.FILES.lists():
            for file in uploaded:
                digest = sha256(file.read()).hexdigest()
                files.append(
                    {"field": field, "name": file.name, "size": file.size, "sha256": digest}
                )
        return JsonResponse({"fields": dict(request.POST.lists()), "files": files})


class Path(View):
    def get(self, request: HttpRequest, text: str) -> JsonResponse:
        return JsonResponse({"text": text})


class Headers(View):
    def get(self, request: HttpRequest) -> JsonResponse:
        named = {name.lower(): value for name, value in request.headers.items()}
        return JsonResponse({name: value for name, value in named.items() if name[:2] == "x-"})


class Cookies(View):
    def get(self, request: HttpRequest) -> JsonResponse:
        answer = JsonResponse(request.COOKIES)
        answer.set_cookie("first", "1")
        answer.set_cookie("second", "2", httponly=True)
        return answer


class Redirect(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect("/hello")


class Status(View):
    def get(self, request: HttpRequest, code: int) -> HttpResponse:
        body = "" if code in (204, 304) else f"{code}\n"
        return HttpResponse(body, status=code, content_type=TEXT)


class Error(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        raise RuntimeError("a secret of the application")


class Stream(View):
    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        def lines() -> Iterator[str]:
            for number in range(5):
                yield f"line {number}\n"

        return StreamingHttpResponse(lines(), content_type=TEXT)


class Octets(View):
    def get(self, request: HttpRequest, size: int) -> HttpResponse:
        body = (bytes(range(256)) * (size // 256 + 1))[:size]
        return HttpResponse(body, content_type="application/octet-stream")


class File(View):
    def get(self, request: HttpRequest, name: str) -> FileResponse:
        if name != "numbers.txt":
            raise Http404
        return FileResponse((FILES / name).open("rb"))  # closed with the response


class Slow(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        time.sleep(0.2)
        return HttpResponse("slow\n", content_type=TEXT)
