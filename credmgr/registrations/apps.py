"""Django's description of this package."""

from django.apps import AppConfig


class RegistrationsConfig(AppConfig):
    name = "credmgr.registrations"
