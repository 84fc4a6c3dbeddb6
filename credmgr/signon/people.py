"""The acts of single sign-on on people: made at the first sign-in, their roles told anew at each.

Each is one transaction together with its audit rows. `now` is aware UTC.
"""

import re
import unicodedata
import uuid
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from functools import partial

from django.db import IntegrityError, transaction

from credmgr.accounts import administrators
from credmgr.accounts.models import BY_PROVIDER, ExternalIdentity, RoleAssignment, User
from credmgr.accounts.roles import ROLE_NAMES, Role
from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.conflicts import repeated
from credmgr.registrations.models import Tenant, TenantDomain
from credmgr.signon.configuration import EVERYWHERE, Provider
from credmgr.signon.errors import SignOnError
from credmgr.signon.id_tokens import Identity

# Room for what makes a name unique.
_NAME_MAX = administrators.USER_NAME_MAX - 10
_NOT_IN_NAMES = re.compile(r"[^\w.@+-]+")
_TRIES = 3
# (directory, None for every one; role)
Place = tuple[uuid.UUID | None, str]


def admit(identity: Identity, provider: Provider, *, actor: Actor, now: datetime) -> User:
    """The person to sign in, with the roles that the provider tells now; made where they are new.

    actor: the stranger at the door. Raises SignOnError for somebody without any role, or who is disabled:
    that is on record, as are roles that the provider took away.
    """
    user, refusal = _once_more_if_beaten(identity, provider, actor, now)
    if user is None:
        raise SignOnError(refusal)
    return user


def is_person(user: User, identity: Identity) -> bool:
    """Whether the identity is that of this person."""
    rows = ExternalIdentity.objects.filter(user=user, issuer=identity.issuer, subject=identity.subject)
    return rows.exists()


def record_refusal(code: str, *, actor: Actor, now: datetime, user: User | None = None) -> None:
    """Somebody came back from the provider and was not let in. code: of a SignOnError."""
    record_event(
        EventTag.EXTERNAL_SIGN_IN_REFUSED,
        actor=actor,
        now=now,
        object_type="user" if user else "",
        object_id=user.pk if user else "",
        object_name=user.username if user else "",
        changes={"reason": ["", code]},
        succeeded=False,
    )


def _once_more_if_beaten(
    identity: Identity, provider: Provider, actor: Actor, now: datetime
) -> tuple[User | None, str]:
    """Two browsers of one new person, or two people of one name, may come at the same moment."""
    act = partial(_admit, identity, provider, actor, now)
    for _ in range(_TRIES - 1):
        try:
            return repeated(act)
        except IntegrityError:
            continue
    return repeated(act)


@transaction.atomic
def _admit(identity: Identity, provider: Provider, actor: Actor, now: datetime) -> tuple[User | None, str]:
    """(the person, "") or (None, why not). A refusal is an outcome: what was changed before it stays."""
    wanted = _places(provider, identity.values)
    known = ExternalIdentity.objects.filter(issuer=identity.issuer, subject=identity.subject).first()
    if known is None and not wanted:
        record_refusal("no_role", actor=actor, now=now)
        return None, "no_role"
    user = _made(identity, actor, now) if known is None else _locked(known)
    if not user.is_active:
        record_refusal("disabled", actor=actor, now=now, user=user)
        return None, "disabled"
    _tell_roles(user, wanted, actor, now)
    if not RoleAssignment.objects.filter(user=user).exists():
        record_refusal("no_role", actor=actor, now=now, user=user)
        return None, "no_role"
    return user, ""


def _locked(known: ExternalIdentity) -> User:
    return User.objects.select_for_update().get(pk=known.user_id)


def _made(identity: Identity, actor: Actor, now: datetime) -> User:
    user = User(
        username=_free_name(identity.user_name),
        first_name=identity.full_name[: administrators.FULL_NAME_MAX],
        date_joined=now,
    )
    user.set_unusable_password()
    user.save(force_insert=True)
    ExternalIdentity.objects.create(
        issuer=identity.issuer, subject=identity.subject, user=user, created_at=now
    )
    record_event(
        EventTag.EXTERNAL_PERSON_CREATED,
        actor=_as(actor, user),
        now=now,
        object_type="user",
        object_id=user.pk,
        object_name=user.username,
        changes={"issuer": ["", identity.issuer]},
    )
    return user


def _free_name(wanted: str) -> str:
    """A user name that nobody has, near the wanted one: a name says nothing about who somebody is."""
    normal = unicodedata.normalize("NFKC", wanted)
    base = _NOT_IN_NAMES.sub("-", normal)[:_NAME_MAX].strip("-") or "person"
    name, number = base, 1
    while administrators.find(name):
        number += 1
        # Beyond a few namesakes at random, so that nobody's thousandth one costs a thousand questions.
        name = f"{base}-{number}" if number < 20 else f"{base}-{uuid.uuid4().hex[:8]}"
    return name


def _places(provider: Provider, values: Collection[str]) -> set[Place]:
    """Where the values give which role. A directory that is not there (any more) gives nothing."""
    rules = [rule for rule in provider.rules if rule.value in values]
    named = {rule.place for rule in rules} - {"", EVERYWHERE}
    domains = dict(TenantDomain.objects.filter(name__in=named).values_list("name", "tenant_id"))
    default = Tenant.objects.filter(is_default=True).values_list("pk", flat=True).first()
    found: set[Place] = set()
    for rule in rules:
        directory = default if rule.place == "" else domains.get(rule.place)
        if rule.place == EVERYWHERE:
            found.add((None, rule.role.value))
        elif directory is not None:
            found.add((directory, rule.role.value))
    return found


def _tell_roles(user: User, wanted: set[Place], actor: Actor, now: datetime) -> None:
    """Make the roles that came from the provider exactly these. Those given here are not touched.

    No rule on the last administrator is needed: it counts roles given by hand alone.
    """
    rows = {
        (row.tenant_id, row.role): row for row in RoleAssignment.objects.filter(user=user, source=BY_PROVIDER)
    }
    before = set(rows)
    if before == wanted:
        return
    RoleAssignment.objects.filter(pk__in=[rows[place].pk for place in before - wanted]).delete()
    RoleAssignment.objects.bulk_create(
        RoleAssignment(
            user=user,
            tenant_id=tenant_id,
            role=role,
            created_at=now,
            created_by_name="Single sign-on",
            source=BY_PROVIDER,
        )
        for tenant_id, role in sorted(wanted - before, key=str)
    )
    record_event(
        EventTag.EXTERNAL_ROLES_CHANGED,
        actor=_as(actor, user),
        now=now,
        object_type="user",
        object_id=user.pk,
        object_name=user.username,
        changes={"roles": [_words(before), _words(wanted)]},
    )


def _words(places: set[Place]) -> str:
    """ "Reader (Contoso), Auditor (every directory)"."""
    ids = [tenant_id for tenant_id, _ in places if tenant_id is not None]
    names = dict(Tenant.objects.filter(pk__in=ids).values_list("pk", "name"))
    told = [
        f"{ROLE_NAMES[Role(role)] if role in set(Role) else role} "
        f"({names.get(tenant_id, 'a deleted directory') if tenant_id else 'every directory'})"
        for tenant_id, role in places
    ]
    return ", ".join(sorted(told)) or "none"


def _as(stranger: Actor, user: User) -> Actor:
    """The person acting, from where the stranger came."""
    return replace(stranger, name=user.shown_name, user=user)
