"""Addresses: registrations."""

from django.urls import URLPattern, path

from credmgr.portal.views import applications

urlpatterns: list[URLPattern] = [
    path("applications", applications.applications, name="applications"),
]
