"""Django's description of this package."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "credmgr.accounts"
