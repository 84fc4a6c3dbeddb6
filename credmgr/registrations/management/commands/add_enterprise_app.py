"""Consents to a multitenant application of another directory from a script."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from credmgr.audit.recording import Actor
from credmgr.registrations.act_command import ActCommand, add_directory_argument, directory_for
from credmgr.registrations.service_principals import add_service_principal


class Command(ActCommand):
    """add_enterprise_app APP_ID [--directory DIRECTORY] [--json]."""

    help = "Add a multitenant application of another directory to a directory (consent)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which application, and where it comes to."""
        super().add_arguments(parser)
        parser.add_argument("app_id", metavar="APP_ID", help="application (client) ID")
        add_directory_argument(parser)

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """Add it, with what it asks for and the directory can grant."""
        tenant = directory_for(options["directory"])
        principal, granted = add_service_principal(
            tenant, client_id=options["app_id"], actor=Actor.command(), now=timezone.now()
        )
        return {
            "id": str(principal.pk),
            "appId": str(principal.application.client_id),
            "displayName": principal.application.display_name,
            "tenantId": str(tenant.pk),
            "granted": [role.value for role in granted],
        }

    def say(self, answer: Any) -> str:
        """What it is there, and what it may do."""
        roles = ", ".join(answer["granted"]) or "none"
        return (
            f"Added {answer['displayName']}.\n"
            f"Object ID:             {answer['id']}\n"
            f"Directory (tenant) ID: {answer['tenantId']}\n"
            f"Granted permissions:   {roles}"
        )
