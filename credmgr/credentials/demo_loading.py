"""Brings the invented registrations of demo.py into the directory, by the same acts as the pages, and removes
them.

Everything is marked: is_demo on registrations, "(demo)" behind the invented names. No user account is made.
"""

import uuid
from datetime import datetime, timedelta

from cryptography import x509 as library
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.db import transaction
from django.db.models import QuerySet

from credmgr.accounts.models import User
from credmgr.audit.events import EventTag
from credmgr.audit.models import SignIn
from credmgr.audit.recording import Actor
from credmgr.audit.sign_ins import CERTIFICATE, CLIENT_SECRET
from credmgr.credentials import demo
from credmgr.credentials.certificates import add_certificate
from credmgr.credentials.client_secrets import add_client_secret
from credmgr.credentials.errors import CredentialError
from credmgr.credentials.findings import examine
from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.registrations.acting import record_directory_act
from credmgr.registrations.deleting import delete_application, purge_application
from credmgr.registrations.models import Application, Ownership, Tenant
from credmgr.registrations.registering import register_application, set_disabled
from credmgr.registrations.resources import find_resource

_OWNERS_MOST = 20


def load_demo(tenant: Tenant, *, actor: Actor, now: datetime) -> list[Application]:
    """Load everything. Raises CredentialError when demo registrations are there already."""
    if _loaded(tenant).exists():
        raise CredentialError(
            "demo_loaded",
            "The demo registrations are loaded already. Remove them first with load_demo --remove.",
        )
    users = list(User.objects.filter(is_active=True).order_by("date_joined")[:_OWNERS_MOST])
    sign_ins: list[SignIn] = []
    made = [_make(tenant, each, users, sign_ins, now) for each in demo.APPLICATIONS]
    with transaction.atomic():
        # Oldest first: the log is read by sequence.
        SignIn.objects.bulk_create(sorted(sign_ins, key=lambda row: row.at), batch_size=200)
        record_directory_act(EventTag.DEMO_LOADED, tenant, actor, now, {"registrations": [None, len(made)]})
    return made


def remove_demo(tenant: Tenant, *, actor: Actor, now: datetime) -> int:
    """Remove every demo registration, its credentials and invented sign-ins. Returns how many."""
    applications = list(_loaded(tenant))
    for application in applications:
        with transaction.atomic():
            SignIn.objects.filter(application_id=application.pk).delete()
            if application.deleted_at is None:
                delete_application(application, actor=actor, now=now)
            purge_application(application, actor=actor, now=now)
    if applications:
        record_directory_act(
            EventTag.DEMO_REMOVED, tenant, actor, now, {"registrations": [None, len(applications)]}
        )
    return len(applications)


def _loaded(tenant: Tenant) -> QuerySet[Application]:
    return Application.objects.filter(tenant=tenant, is_demo=True)


def _make(
    tenant: Tenant, plan: demo.DemoApplication, users: list[User], sign_ins: list[SignIn], now: datetime
) -> Application:
    invented = Actor(f"{plan.by} (demo)")
    application = register_application(
        tenant=tenant,
        display_name=plan.name,
        identifier_uri=plan.identifier_uri,
        notes=plan.notes,
        is_demo=True,
        actor=invented,
        now=now - timedelta(days=plan.age),
    )
    owners = {"all": users, "one": users[:1]}.get(plan.owners, [])
    Ownership.objects.bulk_create(Ownership(application=application, user=user) for user in owners)
    for secret_plan in plan.secrets:
        secret = _add_secret(application, secret_plan, invented, now)
        sign_ins += _sign_ins(application, secret, secret_plan.uses, now)
    for certificate_plan in plan.certificates:
        certificate = _add_certificate(application, certificate_plan, invented, now)
        sign_ins += _sign_ins(application, certificate, certificate_plan.uses, now)
    if plan.disabled:
        set_disabled(application, disabled=True, actor=invented, now=now - timedelta(days=1))
    if plan.deleted is not None:
        delete_application(application, actor=invented, now=now - timedelta(days=plan.deleted))
    return application


def _add_secret(application: Application, plan: demo.DemoSecret, actor: Actor, now: datetime) -> ClientSecret:
    secret, _ = add_client_secret(
        application,
        description=plan.description,
        start_at=now + timedelta(days=plan.began),
        end_at=now + timedelta(days=plan.ends),
        verify_only=plan.verify_only,
        actor=actor,
        now=now + timedelta(days=min(plan.began, 0)),
    )
    return secret


def _add_certificate(
    application: Application, plan: demo.DemoCertificate, actor: Actor, now: datetime
) -> Certificate:
    began = now + timedelta(days=plan.began)
    pem, key_pem = _make_pair(plan, began, now + timedelta(days=plan.ends))
    examination = examine(
        application,
        certificate_file=pem,
        keep_private_key=plan.has_key,
        key_file=key_pem if plan.has_key else None,
        now=began,
    )
    return add_certificate(
        application, examination=examination, description=plan.description, actor=actor, now=began
    )


def _make_pair(plan: demo.DemoCertificate, start: datetime, end: datetime) -> tuple[bytes, bytes]:
    """A self-signed certificate and its private key in PEM; the key is forgotten unless the plan keeps it."""
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if plan.key == "EC":
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        key = rsa.generate_private_key(65537, 2048)
    name = library.Name(
        [
            library.NameAttribute(NameOID.ORGANIZATION_NAME, "Norrvik Freight (demo)"),
            library.NameAttribute(NameOID.COMMON_NAME, f"{plan.description}.norrvik.example"),
        ]
    )
    certificate = (
        library.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(library.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), key_pem


def _sign_ins(
    application: Application,
    credential: ClientSecret | Certificate,
    uses: tuple[demo.Use, ...],
    now: datetime,
) -> list[SignIn]:
    is_certificate = isinstance(credential, Certificate)
    return [
        SignIn(
            at=now - timedelta(minutes=use.last + use.every * number),
            trace_id=uuid.uuid4(),
            correlation_id=uuid.uuid4(),
            tenant_id=application.tenant_id,
            client_id=str(application.client_id),
            application_id=application.pk,
            service_principal_id=application.service_principal_id,
            resource=use.resource,
            resource_id=_resource_id(application, use.resource),
            error_code=use.code,
            credential_id=credential.pk,
            credential_type=CERTIFICATE if is_certificate else CLIENT_SECRET,
            thumbprint=credential.thumbprint_sha1 if isinstance(credential, Certificate) else "",
            address=use.address,
        )
        for use in uses
        for number in range(use.count)
    ]


def _resource_id(application: Application, identifier: str) -> str:
    resource = find_resource(application.tenant_id, identifier)
    return str(resource.client_id) if resource else ""
