"""Django's description of this package."""

from django.apps import AppConfig


class OpsConfig(AppConfig):
    """Running it: serve, health, logs, checks."""

    name = "credmgr.ops"

    def ready(self) -> None:
        """Register the system checks."""
        from . import checks  # noqa: F401 - Django registers checks on import, and only now may they load
