"""Django's description of this package."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "credmgr.audit"
