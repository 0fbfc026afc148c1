"""The measured application in Django: see ``bench/traffic.py`` for what it answers.

With the settings of ``apps/djangoapp``: no database, no sessions, no templates, and of the
middleware the one that sets Content-Length.
"""

from __future__ import annotations

import json

from django.conf import settings
from django.core.management.utils import get_random_secret_key
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=get_random_secret_key(),
    USE_TZ=True,
)


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Hello, World!\n", content_type="text/plain; charset=utf-8")


def respond(request: HttpRequest, quantity: object = 0, note: object = "") -> HttpResponse:
    """Answer a request of the traffic."""
    identifier = request.headers["X-Request-ID"]
    who = request.COOKIES.get("session") or request.headers.get("Authorization", "")[-12:]
    text = (
        f"{request.method} {request.path}\n{request.GET.get('q', '')}\n{who}\n"
        f"{quantity} {note}\n{identifier}\n{'.' * (int(identifier[:3], 16) % 1500)}\n"
    )
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["X-Correlation-ID"] = identifier
    response.set_cookie("seen", identifier[:8])
    return response


def page(request: HttpRequest, category: str, number: int) -> HttpResponse:
    return respond(request)


def search(request: HttpRequest) -> HttpResponse:
    return respond(request)


def lookup(request: HttpRequest, number: int) -> HttpResponse:
    return respond(request)


def address(request: HttpRequest) -> HttpResponse:
    return respond(request, request.POST["quantity"], request.POST["note"])


def create(request: HttpRequest) -> HttpResponse:
    order = json.loads(request.body)
    return respond(request, order["quantity"], order["note"])


urlpatterns = [
    path("hello", hello),
    path("catalog/<str:category>/<int:number>", page),
    path("api/search", search),
    path("v1/orders/<int:number>", lookup),
    path("account/address", address),
    path("v1/orders", create),
]

app = get_wsgi_application()
