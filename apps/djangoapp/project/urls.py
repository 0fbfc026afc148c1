"""The URLs of the project."""

from django.urls import path

from . import views

urlpatterns = [
    path("hello", views.hello),
    path("framework", views.framework),
]
