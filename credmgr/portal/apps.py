"""Django's description of this package."""

from importlib import import_module

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "credmgr.portal"

    def ready(self) -> None:
        """Connect the receivers that write the audit of sign-ins; they need the models, so not before."""
        import_module("credmgr.portal.account_events")
