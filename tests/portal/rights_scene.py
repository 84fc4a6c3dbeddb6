"""One of everything that a page can be about, so that every route of the portal has a real address."""

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache

from cryptography.hazmat.primitives.serialization import Encoding
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from credmgr.accounts.models import User
from credmgr.accounts.public import is_public
from credmgr.accounts.roles import Role
from credmgr.audit.models import SignIn
from credmgr.audit.recording import Actor
from credmgr.audit.sign_ins import SignInRecord, record_sign_in
from credmgr.authority.signing_keys import ensure_signing_key
from credmgr.credentials.models import Certificate, FederatedCredential
from credmgr.flowtest.models import FlowRun
from credmgr.membership.invitations import invite
from credmgr.origins.models import AllowedOrigin
from credmgr.registrations.deleting import delete_application
from credmgr.registrations.models import (
    MULTITENANT,
    Application,
    AppRole,
    AppRoleAssignment,
    RequestedPermission,
    ServicePrincipal,
    Tenant,
    TenantDomain,
)
from credmgr.vault.sealing import seal_into
from tests import factories
from tests.portal.certificate_files import certificate, rsa_key


@dataclass(frozen=True)
class Route:
    """A page that needs sign-in: its name, and the names of what its address takes."""

    name: str
    takes: tuple[str, ...]


@cache
def routes() -> list[Route]:
    """Every page behind sign-in, from Django's own map."""

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> list[Route]:
        found = []
        for each in patterns:
            if isinstance(each, URLResolver):
                found += walk(each.url_patterns, f"{each.namespace}:" if each.namespace else prefix)
            elif not is_public(each.callback):
                found.append(Route(f"{prefix}{each.name}", tuple(each.pattern.converters)))
        return found

    return walk(get_resolver().url_patterns, "")


# These are about deleted registrations.
OF_DELETED = ("portal:application_restore", "portal:application_purge")


@dataclass
class Scene:
    """Ids of one of each; a registration of the person's own, one of others, and the same deleted."""

    ids: dict[str, object]
    own: Application
    foreign: Application
    own_deleted: Application
    foreign_deleted: Application
    _looked_up: dict[uuid.UUID, dict[str, object]] = field(default_factory=dict)

    def address(self, route: Route, *, own: bool) -> str:
        """The route's address, about a registration of that kind where it takes one."""
        live, deleted = (self.own, self.own_deleted) if own else (self.foreign, self.foreign_deleted)
        application = deleted if route.name in OF_DELETED else live
        given = {"application_id": application.pk, **self._of(application)}
        values = {name: given.get(name, self.ids.get(name)) for name in route.takes}
        missing = [name for name, value in values.items() if value is None]
        assert not missing, f"{route.name} takes {missing}: give the scene one"
        return reverse(route.name, kwargs=values)

    def _of(self, application: Application) -> dict[str, object]:
        """What hangs on a registration, by the name of the place in an address."""
        if application.pk not in self._looked_up:
            self._looked_up[application.pk] = self._look_up(application)
        return self._looked_up[application.pk]

    def _look_up(self, application: Application) -> dict[str, object]:
        permission = RequestedPermission.objects.filter(application=application).first()
        return {
            "secret_id": application.client_secrets.get().pk,
            "certificate_id": application.certificates.get().pk,
            "credential_id": application.federated_credentials.get().pk,
            "role_id": permission.role_id if permission else None,
            "api_id": permission.resource_client_id if permission else None,
            "run_id": application.flow_runs.get().pk,
            "other_id": application.flow_runs.get().pk,
            "form": "cer",
        }


def build(tenant: Tenant, owner: User) -> Scene:
    """Four registrations of a directory with everything on them, two of them owned by that person."""
    names = ("Own", "Foreign", "Own and gone", "Foreign and gone")
    own, foreign, own_deleted, foreign_deleted = applications = [_filled(tenant, name) for name in names]
    now = timezone.now()
    someone = factories.person("someone", Role.READER, tenant=tenant)
    for application in applications:
        application.ownerships.create(user=someone)
    for application in (own, own_deleted):
        application.ownerships.create(user=owner)
    for application in (own_deleted, foreign_deleted):
        delete_application(application, actor=Actor.command(), now=now)
    invitation, _ = invite(name="Kim", tenant=tenant, roles={Role.READER}, actor=Actor.command(), now=now)
    origin = AllowedOrigin.objects.create(
        scheme="https", host="idp.example", port=443, name="IdP", created_at=now
    )
    record_sign_in(
        SignInRecord(
            at=now,
            trace_id=uuid.uuid4(),
            correlation_id=uuid.uuid4(),
            tenant_id=tenant.pk,
            client_id=str(foreign.client_id),
            application_id=foreign.pk,
        )
    )
    ids: dict[str, object] = {
        "directory_id": tenant.pk,
        "domain_id": TenantDomain.objects.create(tenant=tenant, name="further.example").pk,
        "user_id": someone.pk,
        "invitation_id": invitation.pk,
        "origin_id": origin.pk,
        "sequence": SignIn.objects.latest("sequence").pk,
        "principal_id": _enterprise_application(tenant, [own, foreign]).pk,
        "client_id": _multitenant_elsewhere("Elsewhere too").client_id,
        "key_id": ensure_signing_key(lambda: now).pk,
        "code": 7000215,
    }
    return Scene(ids, own, foreign, own_deleted, foreign_deleted)


def _filled(tenant: Tenant, name: str) -> Application:
    now = timezone.now()
    application = factories.application(name, tenant=tenant, now=now)
    factories.secret(application, now=now)
    row = Certificate(
        application=application,
        thumbprint_sha1=uuid.uuid4().hex.upper() + "00000000",
        thumbprint_sha256=uuid.uuid4().hex.upper() * 2,
        key_type="RSA",
        key_size=2048,
        start_at=now,
        end_at=now + timedelta(days=90),
        created_at=now,
    )
    seal_into(row, "der", _certificate())
    seal_into(row, "private_key", b"no key")
    row.save(force_insert=True)
    FederatedCredential.objects.create(
        application=application,
        name="ci",
        issuer="https://issuer.example",
        subject="s",
        audience="a",
        created_at=now,
    )
    role = AppRole.objects.create(
        application=application, display_name="Read", value="Read", description="Reads", created_at=now
    )
    RequestedPermission.objects.create(
        application=application, resource_client_id=application.client_id, role_id=role.pk, created_at=now
    )
    AppRoleAssignment.objects.create(
        tenant=tenant,
        application=application,
        resource_client_id=application.client_id,
        role_id=role.pk,
        created_at=now,
    )
    FlowRun.objects.create(
        application=application,
        credential_kind="secret",
        target="Built-in authority",
        scope="s",
        verdict="refused",
        duration_ms=1,
        correlation_id=uuid.uuid4(),
        started_at=now,
        report=REPORT,
    )
    return application


def _multitenant_elsewhere(name: str) -> Application:
    now = timezone.now()
    elsewhere = Tenant.objects.create(name=name, created_at=now)
    return factories.application(name, tenant=elsewhere, sign_in_audience=MULTITENANT, now=now)


def _enterprise_application(tenant: Tenant, apis: list[Application]) -> ServicePrincipal:
    """An application of another directory that may use both registrations here."""
    application, now = _multitenant_elsewhere("Elsewhere"), timezone.now()
    for api in apis:
        AppRoleAssignment.objects.create(
            tenant=tenant,
            application=application,
            resource_client_id=api.client_id,
            role_id=api.app_roles.get().pk,
            created_at=now,
        )
    return ServicePrincipal.objects.create(application=application, tenant=tenant, created_at=now)


@cache
def _certificate() -> bytes:
    return certificate(rsa_key()).public_bytes(Encoding.DER)


REPORT = {
    "authority": "https://localhost:8443/t",
    "client": "MSAL Python",
    "shapes": [
        {
            "shape": "secret",
            "verdict": "refused",
            "hops": [],
            "token": None,
            "error": None,
            "failure": "",
            "failure_detail": "",
            "assertion": {},
            "clock_skew_seconds": None,
            "correlation_id": "",
            "duration_ms": 1,
        }
    ],
    "diagnosis": {
        "cause": "other",
        "headline": "Refused",
        "summary": "Refused",
        "steps": [],
        "evidence": [],
        "marks": [],
        "meaning": "",
    },
    "format": 1,
}
