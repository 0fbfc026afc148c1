"""The views of the project."""

from importlib.metadata import version

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe


@require_safe
def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Hello, World!\n", content_type="text/plain; charset=utf-8")


@require_safe
def framework(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"framework": "django", "version": version("django")})
