"""Reads who has which role."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, Q, QuerySet, When
from django.db.models.functions import Lower

from credmgr.accounts.models import BY_HAND, BY_PROVIDER, Invitation, RoleAssignment, User
from credmgr.accounts.roles import ROLE_NAMES, Role, Standing
from credmgr.registrations.models import Tenant


@dataclass(frozen=True)
class Member:
    """A person with their roles in one directory. everywhere: those that count in every directory.

    given: the (role, everywhere) pairs that somebody gave here; by_provider: those that single sign-on tells.
    """

    user: User
    here: tuple[Role, ...]
    everywhere: tuple[Role, ...]
    given: frozenset[tuple[str, bool]] = frozenset()
    by_provider: frozenset[tuple[str, bool]] = frozenset()

    def given_by_hand(self, *, everywhere: bool) -> list[str]:
        """Names of the roles that somebody gave here, as forms take them."""
        return [role.value for role in Role if (role.value, everywhere) in self.given]

    @property
    def provider_words(self) -> str:
        """The roles that single sign-on tells: "Reader, Auditor (every directory)"; empty without any."""
        here = [ROLE_NAMES[role] for role in Role if (role.value, False) in self.by_provider]
        everywhere = [ROLE_NAMES[role] for role in Role if (role.value, True) in self.by_provider]
        return ", ".join(here + [f"{name} (every directory)" for name in everywhere])

    @property
    def words(self) -> str:
        """The roles for a person: "Reader, Auditor (every directory)"."""
        named = [ROLE_NAMES[role] for role in self.here]
        return ", ".join(named + [f"{ROLE_NAMES[role]} (every directory)" for role in self.everywhere])


def standing_of(user: User) -> Standing:
    """What a person may do, as stored now. One query; nothing of somebody who is disabled."""
    if not user.is_active:
        return Standing()
    rows = RoleAssignment.objects.filter(user=user).values_list("tenant_id", "role")
    return Standing.of(rows)


def directories_for(standing: Standing) -> QuerySet[Tenant]:
    """The directories that somebody with this standing may enter."""
    if standing.roles_in(None):
        return Tenant.objects.all()
    return Tenant.objects.filter(pk__in=[key for key in standing.roles if key is not None])


def directory_to_enter(standing: Standing, wanted: uuid.UUID | None) -> Tenant | None:
    """The wanted directory where it may be entered, else the default one, else the first by name."""
    wanted_first = Case(When(pk=wanted, then=0), When(is_default=True, then=1), default=2)
    return directories_for(standing).order_by(wanted_first, Lower("name"), "pk").first()


def members_of(tenant: Tenant) -> QuerySet[User]:
    """People who have a role in the directory, or everywhere; by user name."""
    here = RoleAssignment.objects.filter(Q(tenant_id=tenant.pk) | Q(tenant_id=None)).values("user_id")
    return User.objects.filter(pk__in=here).order_by(Lower("username"), "pk")


def with_roles(users: Iterable[User], tenant: Tenant) -> list[Member]:
    """Their roles in the directory. One query for any number of people."""
    people = list(users)
    rows = RoleAssignment.objects.filter(Q(tenant_id=tenant.pk) | Q(tenant_id=None), user__in=people)
    roles: dict[tuple[uuid.UUID, bool], set[str]] = {}
    sources: dict[tuple[uuid.UUID, str], set[tuple[str, bool]]] = {}
    for user_id, tenant_id, role, source in rows.values_list("user_id", "tenant_id", "role", "source"):
        roles.setdefault((user_id, tenant_id is None), set()).add(role)
        sources.setdefault((user_id, source), set()).add((role, tenant_id is None))
    return [
        Member(
            user,
            _ordered(roles.get((user.pk, False))),
            _ordered(roles.get((user.pk, True))),
            frozenset(sources.get((user.pk, BY_HAND), ())),
            frozenset(sources.get((user.pk, BY_PROVIDER), ())),
        )
        for user in people
    ]


def open_invitations(tenant: Tenant) -> QuerySet[Invitation]:
    """Invitations to the directory that nobody has used, the newest first; ended ones included."""
    return Invitation.objects.filter(tenant_id=tenant.pk, used_at=None).order_by("-created_at")


def local_administrators() -> QuerySet[User]:
    """People who can sign in and administer every directory, and need no provider for either.

    Who has both a password and an identity of a provider is none of them: one cannot tell which they can use.
    """
    rows = RoleAssignment.objects.filter(
        tenant_id=None, role=Role.DIRECTORY_ADMINISTRATOR, source=BY_HAND
    ).values("user_id")
    return User.objects.filter(pk__in=rows, is_active=True, external_identities=None)


def _ordered(names: set[str] | None) -> tuple[Role, ...]:
    return tuple(role for role in Role if role in (names or ()))
