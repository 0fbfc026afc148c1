"""The URLs of the project."""

from django.urls import path

from . import views

urlpatterns = [
    path("hello", views.hello),
    path("framework", views.framework),
    path("echo", views.Echo.as_view()),
    path("query", views.Query.as_view()),
    path("form", views.Form.as_view()),
    path("path/<text>", views.Path.as_view()),
    path("headers", views.Headers.as_view()),
    path("cookies", views.Cookies.as_view()),
    path("redirect", views.Redirect.as_view()),
    path("status/<int:code>", views.Status.as_view()),
    path("error", views.Error.as_view()),
    path("stream", views.Stream.as_view()),
    path("bytes/<int:size>", views.Octets.as_view()),
    path("file/<name>", views.File.as_view()),
    path("slow", views.Slow.as_view()),
]
