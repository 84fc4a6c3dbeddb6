"""Addresses: the list of origins that this server may call."""

from django.urls import URLPattern, path

from credmgr.portal.views import origins

urlpatterns: list[URLPattern] = [
    path("origins", origins.origins, name="origins"),
    path("origins/new", origins.origin_new, name="origin_new"),
    path("origins/<uuid:origin_id>/remove", origins.origin_remove, name="origin_remove"),
]
