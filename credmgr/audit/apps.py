"""Django's description of this package."""

from importlib import import_module

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """What happened."""

    name = "credmgr.audit"

    def ready(self) -> None:
        """The triggers follow every migration; they need the models, so not before."""
        guards, sums = (import_module(f"credmgr.audit.{name}") for name in ("guards", "sum_triggers"))
        guards.GUARDS.follow_migrations(self, "credmgr.audit.guards")
        sums.TRIGGERS.follow_migrations(self, "credmgr.audit.sum-triggers")
