"""Registers an application from a script."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from credmgr.audit.recording import Actor
from credmgr.registrations.act_command import ActCommand, add_directory_argument, directory_for
from credmgr.registrations.directories import ensure_default_tenant
from credmgr.registrations.models import MULTITENANT, SINGLE_TENANT
from credmgr.registrations.registering import register_application


class Command(ActCommand):
    """register_app NAME [--identifier-uri URI] [--multitenant] [--directory DIRECTORY] [--json]."""

    help = "Register an application."

    def add_arguments(self, parser: CommandParser) -> None:
        """A name is all it needs."""
        super().add_arguments(parser)
        parser.add_argument("name", help="display name, 1 to 120 characters")
        parser.add_argument(
            "--identifier-uri", default="", metavar="URI", help="Application ID URI, like api://orders"
        )
        parser.add_argument(
            "--multitenant", action="store_true", help="other directories may use it too, by consent"
        )
        add_directory_argument(parser)

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """Register it, owned by nobody: the command line is no person."""
        now = timezone.now()
        tenant = directory_for(options["directory"]) if options["directory"] else ensure_default_tenant(now)
        application = register_application(
            tenant=tenant,
            display_name=options["name"],
            identifier_uri=options["identifier_uri"],
            sign_in_audience=MULTITENANT if options["multitenant"] else SINGLE_TENANT,
            actor=Actor.command(),
            now=now,
        )
        return {
            "tenantId": str(tenant.pk),
            "appId": str(application.client_id),
            "id": str(application.pk),
            "displayName": application.display_name,
            "authority": f"{settings.AUTHORITY_URL}/{tenant.pk}",
        }

    def say(self, answer: Any) -> str:
        """The three GUIDs that client code asks for."""
        return (
            f"Registered {answer['displayName']}.\n"
            f"Application (client) ID: {answer['appId']}\n"
            f"Directory (tenant) ID:   {answer['tenantId']}\n"
            f"Object ID:               {answer['id']}\n"
            f"Authority:               {answer['authority']}"
        )
