"""Django's description of this package."""

from django.apps import AppConfig


class FlowtestConfig(AppConfig):
    name = "credmgr.flowtest"
