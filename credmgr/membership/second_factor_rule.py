"""A directory's rule that its administrators must have a second factor, and whom it holds up."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower

from credmgr.accounts.models import User
from credmgr.accounts.roles import Role, Standing
from credmgr.audit.recording import Actor
from credmgr.factors.queries import has_second_factor
from credmgr.membership.errors import MembershipError
from credmgr.registrations.directory_rules import set_second_factor_rule
from credmgr.registrations.models import Tenant

ADMINISTRATORS = frozenset({Role.DIRECTORY_ADMINISTRATOR, Role.APPLICATION_ADMINISTRATOR})


@transaction.atomic
def demand_second_factor(
    tenant: Tenant, *, enabled: bool, expected_version: int, actor: Actor, now: datetime
) -> Tenant:
    """Set the rule, or lift it. Returns the row.

    Raises MembershipError where the person who sets it has no second factor: nobody locks himself out.
    """
    if enabled and actor.user is not None and not has_second_factor(actor.user):
        raise MembershipError(
            "no_factor_of_ones_own",
            "You have no second factor yourself. Set one up in your account first.",
        )
    return set_second_factor_rule(
        tenant, enabled=enabled, expected_version=expected_version, actor=actor, now=now
    )


def demanding_directories(standing: Standing) -> QuerySet[Tenant]:
    """The directories that demand a second factor of somebody with this standing, by name."""
    administered = [place for place, roles in standing.roles.items() if roles & ADMINISTRATORS]
    rows = Tenant.objects.filter(administrators_need_second_factor=True).order_by(Lower("name"))
    if None in administered:
        return rows
    return rows.filter(pk__in=[place for place in administered if place is not None])


def lacks_demanded_factor(user: User, standing: Standing) -> bool:
    """Whether the person may do nothing but set up a second factor."""
    return demanding_directories(standing).exists() and not has_second_factor(user)
