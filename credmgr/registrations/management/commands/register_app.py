"""Registers an application from a script."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from credmgr.audit.recording import Actor
from credmgr.clouds import CLOUDS
from credmgr.registrations.act_command import ActCommand, add_directory_argument, directory_for
from credmgr.registrations.directories import ensure_default_tenant
from credmgr.registrations.models import ENTRA, MULTITENANT, SINGLE_TENANT, Application
from credmgr.registrations.places import (
    HERE,
    Place,
    authority_of,
    entra_parts,
    entra_place,
    oidc_place,
    place_words,
)
from credmgr.registrations.registering import register_application


class Command(ActCommand):
    """register_app NAME [--identifier-uri URI] [--multitenant] [--directory DIRECTORY] [--json].

    One that lives elsewhere: --entra CLOUD --tenant T --client-id C, or --issuer URL --client-id C.
    """

    help = "Register an application, here or as one that lives at another authority."

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
        elsewhere = parser.add_argument_group("one that lives at another authority, known there already")
        elsewhere.add_argument(
            "--entra", choices=[cloud.key for cloud in CLOUDS], help="Microsoft Entra cloud"
        )
        elsewhere.add_argument("--tenant", metavar="T", help="with --entra: tenant ID or domain")
        elsewhere.add_argument("--issuer", metavar="URL", help="another OpenID Connect issuer, to the letter")
        elsewhere.add_argument("--client-id", metavar="C", help="its client ID there")

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """Register it, owned by nobody: the command line is no person."""
        now = timezone.now()
        place = _place(options)
        tenant = directory_for(options["directory"]) if options["directory"] else ensure_default_tenant(now)
        application = register_application(
            tenant=tenant,
            display_name=options["name"],
            identifier_uri=options["identifier_uri"],
            sign_in_audience=MULTITENANT if options["multitenant"] else SINGLE_TENANT,
            place=place,
            actor=Actor.command(),
            now=now,
        )
        return {
            "tenantId": _tenant_id(application),
            "appId": application.shown_client_id,
            "id": str(application.pk),
            "displayName": application.display_name,
            "livesAt": place_words(application),
            "authority": authority_of(application),
        }

    def say(self, answer: Any) -> str:
        """The IDs that client code asks for."""
        lines = [
            f"Registered {answer['displayName']}.",
            f"Application (client) ID: {answer['appId']}",
            f"Directory (tenant) ID:   {answer['tenantId']}" if answer["tenantId"] else "",
            f"Object ID:               {answer['id']}",
            f"Authority:               {answer['authority']}",
        ]
        return "\n".join(line for line in lines if line)


def _place(options: dict[str, Any]) -> Place:
    """Raises CommandError for options that do not go together, RegistrationError for what they hold."""
    entra, issuer = options["entra"], options["issuer"]
    tenant, client_id = options["tenant"], options["client_id"]
    if entra and issuer:
        raise CommandError("Give either --entra or --issuer, not both.")
    if tenant and not entra:
        raise CommandError("--tenant goes with --entra.")
    if not entra and not issuer:
        if client_id:
            raise CommandError("--client-id goes with --entra or --issuer: here the server makes it.")
        return HERE
    if options["identifier_uri"] or options["multitenant"]:
        raise CommandError("--identifier-uri and --multitenant are for applications that live here.")
    if entra:
        return entra_place(cloud=entra, tenant=tenant or "", client_id=client_id or "")
    return oidc_place(issuer=issuer, client_id=client_id or "")


def _tenant_id(application: Application) -> str | None:
    """As it stands in its authority; None where the issuer has no such thing."""
    if application.authority_kind == ENTRA:
        return entra_parts(application.authority_url).tenant
    return None if application.is_external else str(application.tenant_id)
