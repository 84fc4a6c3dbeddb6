"""Django's description of this package."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "credmgr.portal"
