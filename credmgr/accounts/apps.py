"""Django's description of this package."""

from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The portal's people."""

    name = "credmgr.accounts"

    def ready(self) -> None:
        """Connect the signal receivers; they need the models, so not before."""
        import_module("credmgr.accounts.receivers")
