"""Addresses: the frame itself and the tools."""

from django.urls import URLPattern, path
from django.views.generic import RedirectView

from credmgr.portal.views import aadsts, decoding, shell

urlpatterns: list[URLPattern] = [
    path("", RedirectView.as_view(pattern_name="portal:applications"), name="home"),
    path("help", shell.help_page, name="help"),
    path("aadsts", aadsts.aadsts_codes, name="aadsts"),
    path("aadsts/<int:code>", aadsts.aadsts_code, name="aadsts_code"),
    path("decode-token", decoding.decode, name="decode"),
    path("theme", shell.theme, name="theme"),
]
