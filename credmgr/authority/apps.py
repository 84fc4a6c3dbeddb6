"""Django's description of this package."""

from django.apps import AppConfig


class AuthorityConfig(AppConfig):
    name = "credmgr.authority"
