"""Django's description of this package."""

from importlib import import_module

from django.apps import AppConfig


class RegistrationsConfig(AppConfig):
    """The directories and what is registered in them."""

    name = "credmgr.registrations"

    def ready(self) -> None:
        """The triggers follow every migration; they need the models, so not before."""
        sizes = import_module("credmgr.registrations.directory_sizes")
        sizes.TRIGGERS.follow_migrations(self, "credmgr.registrations.triggers")
