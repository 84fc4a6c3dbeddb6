"""Django's description of this package."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The portal's people."""

    name = "credmgr.accounts"

    def ready(self) -> None:
        """Connect what begins a session."""
        from . import sessions  # noqa: F401 - receivers connect on import, once models can be loaded
