"""Django's description of this package."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class AuditConfig(AppConfig):
    """What happened."""

    name = "credmgr.audit"

    def ready(self) -> None:
        """The triggers follow every migration; they need the models, so not before."""
        guards = import_module("credmgr.audit.guards")
        pre_migrate.connect(
            guards.remove_guards_before_migrating, sender=self, dispatch_uid="credmgr.audit.no-guards"
        )
        post_migrate.connect(
            guards.set_guards_after_migrating, sender=self, dispatch_uid="credmgr.audit.guards"
        )
        sums = import_module("credmgr.audit.sum_triggers")
        pre_migrate.connect(
            sums.remove_before_migrating, sender=self, dispatch_uid="credmgr.audit.no-sum-triggers"
        )
        post_migrate.connect(sums.set_after_migrating, sender=self, dispatch_uid="credmgr.audit.sum-triggers")
