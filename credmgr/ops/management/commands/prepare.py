"""Prepares the installation without serving it."""

from typing import Any

from django.core.management.base import BaseCommand

from credmgr.ops.starting import check_settings, prepare


class Command(BaseCommand):
    """Does everything that `serve` does before it listens."""

    help = "Make or update data folder, keys, database, default directory and local certificates."
    requires_system_checks = []  # prepare runs them itself, once there is something to check

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Prepare, and say where things are."""
        check_settings(self.stdout.write)
        folder = prepare(self.stdout.write)
        self.stdout.write(f"Prepared: {folder}")
