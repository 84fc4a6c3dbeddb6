"""Django's description of this package."""

from importlib import import_module

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """Encryption at rest."""

    name = "credmgr.vault"

    def ready(self) -> None:
        """Register the system checks."""
        import_module("credmgr.vault.checks")
