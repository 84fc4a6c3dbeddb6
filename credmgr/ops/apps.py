"""Django's description of this package."""

from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "credmgr.ops"
