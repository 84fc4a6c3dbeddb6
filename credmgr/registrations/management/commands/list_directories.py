"""Lists directories (tenants) for a script."""

from typing import Any

from django.db.models.functions import Lower

from credmgr.registrations.act_command import ActCommand, iso
from credmgr.registrations.models import Tenant
from credmgr.registrations.queries import describe_directories


class Command(ActCommand):
    """list_directories [--json]."""

    help = "List the directories (tenants) with their domains."

    def act(self, options: dict[str, Any]) -> list[dict[str, Any]]:  # noqa: ARG002 - of every command
        """One object per directory, by name."""
        tenants = list(Tenant.objects.order_by(Lower("name"), "pk"))
        return [
            {
                "tenantId": str(listed.tenant.pk),
                "displayName": listed.tenant.name,
                "isDefault": listed.tenant.is_default,
                "isTest": listed.tenant.is_test,
                "domains": list(listed.domains),
                "applications": listed.registrations,
                "createdDateTime": iso(listed.tenant.created_at),
            }
            for listed in describe_directories(tenants)
        ]

    def say(self, answer: Any) -> str:
        """One line per directory."""
        return "\n".join(
            f"{each['tenantId']}  {each['displayName']}  {', '.join(each['domains'])}"
            f"{'  (default)' if each['isDefault'] else ''}"
            for each in answer
        )
