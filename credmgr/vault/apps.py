"""Django's description of this package."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    name = "credmgr.vault"
