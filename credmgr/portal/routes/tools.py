"""Addresses: the frame itself and the tools."""

from django.urls import URLPattern, path

from credmgr.portal.views import shell

urlpatterns: list[URLPattern] = [
    path("", shell.home, name="home"),
    path("help", shell.help_page, name="help"),
    path("theme", shell.theme, name="theme"),
]
