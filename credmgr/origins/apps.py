"""Registers the package with Django."""

from django.apps import AppConfig


class OriginsConfig(AppConfig):
    """The list of addresses that this server may call."""

    name = "credmgr.origins"
