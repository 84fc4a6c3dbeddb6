"""Django's description of this package."""

from django.apps import AppConfig


class FactorsConfig(AppConfig):
    """Second factors of people."""

    name = "credmgr.factors"
