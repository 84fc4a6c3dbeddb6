"""A directory's rule who must have a second factor, and whom it holds up."""

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from credmgr.accounts.models import User
from credmgr.accounts.roles import Role, Standing
from credmgr.audit.recording import Actor
from credmgr.factors.queries import has_second_factor
from credmgr.membership.errors import MembershipError
from credmgr.registrations.directory_rules import set_second_factor_rule
from credmgr.registrations.models import ADMINISTRATORS, EVERYBODY, NOBODY, Tenant

_ADMINISTRATORS = frozenset({Role.DIRECTORY_ADMINISTRATOR, Role.APPLICATION_ADMINISTRATOR})


@transaction.atomic
def demand_second_factor(
    tenant: Tenant, *, asked: str, expected_version: int, actor: Actor, now: datetime
) -> Tenant:
    """Demand one of EVERYBODY with a role there, of ADMINISTRATORS alone, or of NOBODY. Returns the row.

    Raises MembershipError where the person who demands it has no second factor: nobody locks himself out.
    """
    if asked != NOBODY and actor.user is not None and not has_second_factor(actor.user):
        raise MembershipError(
            "no_factor_of_ones_own",
            "You have no second factor yourself. Set one up in your account first.",
        )
    return set_second_factor_rule(
        tenant, asked=asked, expected_version=expected_version, actor=actor, now=now
    )


def demanding_directories(standing: Standing) -> QuerySet[Tenant]:
    """The directories that demand a second factor of somebody with this standing, by name."""
    administered = [place for place, roles in standing.roles.items() if roles & _ADMINISTRATORS]
    demanding = _in(standing.roles, EVERYBODY) | _in(administered, ADMINISTRATORS)
    return Tenant.objects.filter(demanding).order_by(Lower("name"))


def _in(places: Collection[uuid.UUID | None], asked: str) -> Q:
    """Directories among these places that ask so; None stands for all."""
    asks = Q(second_factor_for=asked)
    return asks if None in places else asks & Q(pk__in=[place for place in places if place is not None])


def lacks_demanded_factor(user: User, standing: Standing) -> bool:
    """Whether the person may do nothing but set up a second factor."""
    return demanding_directories(standing).exists() and not has_second_factor(user)
