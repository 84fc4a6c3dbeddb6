"""Django's description of this package."""

from importlib import import_module

from django.apps import AppConfig


class CredentialsConfig(AppConfig):
    """What applications prove themselves with."""

    name = "credmgr.credentials"

    def ready(self) -> None:
        """The triggers follow every migration; they need the models, so not before."""
        status = import_module("credmgr.credentials.status_triggers")
        status.TRIGGERS.follow_migrations(self, "credmgr.credentials.triggers")
