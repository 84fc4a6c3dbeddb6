"""Django's description of this package."""

from importlib import import_module

from django.apps import AppConfig


class RegistrationsConfig(AppConfig):
    """The directories and what is registered in them."""

    name = "credmgr.registrations"

    def ready(self) -> None:
        """The triggers follow every migration; they need the models, so not before."""
        for name in ("directory_sizes", "name_parts"):
            kept = import_module(f"credmgr.registrations.{name}")
            kept.TRIGGERS.follow_migrations(self, f"credmgr.registrations.{name}")
