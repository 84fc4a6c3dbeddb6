"""Django's description of this package."""

from django.apps import AppConfig


class TransferConfig(AppConfig):
    """A registration in a sealed file, for another directory or installation."""

    name = "credmgr.transfer"
