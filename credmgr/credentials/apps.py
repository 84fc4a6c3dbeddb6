"""Django's description of this package."""

from django.apps import AppConfig


class CredentialsConfig(AppConfig):
    name = "credmgr.credentials"
