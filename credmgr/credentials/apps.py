"""Django's description of this package."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class CredentialsConfig(AppConfig):
    """What applications prove themselves with."""

    name = "credmgr.credentials"

    def ready(self) -> None:
        """The triggers follow every migration; they need the models, so not before."""
        triggers = import_module("credmgr.credentials.status_triggers")
        pre_migrate.connect(
            triggers.remove_before_migrating, sender=self, dispatch_uid="credmgr.credentials.no-triggers"
        )
        post_migrate.connect(
            triggers.set_after_migrating, sender=self, dispatch_uid="credmgr.credentials.triggers"
        )
