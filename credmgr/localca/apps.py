"""Django's description of this package."""

from django.apps import AppConfig


class LocalcaConfig(AppConfig):
    name = "credmgr.localca"
