"""Django's description of this package."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class RegistrationsConfig(AppConfig):
    """The directories and what is registered in them."""

    name = "credmgr.registrations"

    def ready(self) -> None:
        """The triggers follow every migration; they need the models, so not before."""
        sizes = import_module("credmgr.registrations.directory_sizes")
        pre_migrate.connect(
            sizes.remove_before_migrating, sender=self, dispatch_uid="credmgr.registrations.no-triggers"
        )
        post_migrate.connect(
            sizes.set_after_migrating, sender=self, dispatch_uid="credmgr.registrations.triggers"
        )
