"""Creates a directory (tenant) from a script."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from credmgr.audit.recording import Actor
from credmgr.registrations.act_command import ActCommand
from credmgr.registrations.directories import create_directory
from credmgr.registrations.domain_names import INITIAL_SUFFIX
from credmgr.registrations.queries import describe_directories


class Command(ActCommand):
    """create_directory NAME --domain DOMAIN [--json]."""

    help = "Create a directory (tenant) beside the default one."

    def add_arguments(self, parser: CommandParser) -> None:
        """A name, and the domain that it begins with."""
        super().add_arguments(parser)
        parser.add_argument("name", help="what people see, 1 to 120 characters")
        parser.add_argument(
            "--domain",
            required=True,
            metavar="DOMAIN",
            help=f"initial domain: something{INITIAL_SUFFIX}, or its first part",
        )

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """Create it, empty."""
        tenant = create_directory(
            name=options["name"], domain=options["domain"], actor=Actor.command(), now=timezone.now()
        )
        return {
            "tenantId": str(tenant.pk),
            "displayName": tenant.name,
            "domain": describe_directories([tenant])[0].primary_domain,
            "authority": f"{settings.AUTHORITY_URL}/{tenant.pk}",
        }

    def say(self, answer: Any) -> str:
        """What a client needs."""
        return (
            f"Created {answer['displayName']}.\n"
            f"Directory (tenant) ID: {answer['tenantId']}\n"
            f"Domain:                {answer['domain']}\n"
            f"Authority:             {answer['authority']}"
        )
