"""Registers what a sealed file holds, in any directory of this or another installation."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor
from credmgr.credentials.certificates import add_certificate
from credmgr.credentials.client_secrets import check_period, insert_secret
from credmgr.credentials.descriptions import clean_description
from credmgr.credentials.errors import SecretError
from credmgr.credentials.existing_secrets import add_existing_secret, clean_value
from credmgr.credentials.federated import add_federated_credential
from credmgr.credentials.findings import examine
from credmgr.credentials.lifecycle import counted
from credmgr.credentials.models import ClientSecret
from credmgr.credentials.secret_values import hint_of
from credmgr.errors import DomainError
from credmgr.registrations.acting import record_act
from credmgr.registrations.app_roles import add_app_role
from credmgr.registrations.models import BUILT_IN, ENTRA, OIDC, Application, Tenant
from credmgr.registrations.permissions import request_permissions
from credmgr.registrations.places import HERE, Place, entra_parts, entra_place, oidc_place
from credmgr.registrations.queries import holder_of_uri
from credmgr.registrations.registering import register_application, set_disabled, update_application
from credmgr.transfer.document import FILE_BYTES_MAX, Document, damaged, from_bytes
from credmgr.transfer.errors import TransferError
from credmgr.vault.passphrase import Kind, open_with_passphrase
from credmgr.vault.sealing import seal_into, verifier_for


@dataclass
class Imported:
    """The new registration. left_out: a sentence for each thing that could not come along."""

    application: Application
    left_out: list[str] = field(default_factory=list)


@sensitive_variables()
def read_export(content: bytes, passphrase: str) -> Document:
    """Open a file of export_registration, at most 1 MB. Raises TransferError, PassphraseError.

    Size, form and cost are judged before anything is computed. Takes about half a second: call it outside of
    transactions.
    """
    if len(content) > FILE_BYTES_MAX:
        raise TransferError(
            "file_too_large",
            "The file is larger than any export of a registration. Check that it is the right one.",
        )
    return from_bytes(open_with_passphrase(Kind.REGISTRATION, passphrase, content))


@transaction.atomic
@sensitive_variables()
def import_registration(
    document: Document,
    *,
    tenant: Tenant,
    keep_client_id: bool = False,
    without_identifier_uri: bool = False,
    actor: Actor,
    now: datetime,
) -> Imported:
    """Make the registration anew, everything sealed under new ids; whole or not at all.

    keep_client_id: clients go on with the id they have; else it gets a new one. What cannot come along
    (digests, ended certificates, permissions on APIs that are not here, consent) is told, not guessed. Raises
    TransferError and the errors of the acts that it consists of.
    """
    application = _registered(
        document, tenant, keep_client_id, without_uri=without_identifier_uri, actor=actor, now=now
    )
    if actor.user is not None:
        actor = replace(actor, owned_application_id=application.pk)  # who registers owns
    imported = Imported(application)
    if not application.is_external:
        application = _exposed(application, document, actor, now)
        _add_roles_and_permissions(imported, document, actor, now)
        _add_federated(imported, document, actor, now)
    _add_secrets(imported, document, actor, now)
    _add_certificates(imported, document, actor, now)
    if document.is_disabled and not application.is_external:
        application = set_disabled(application, disabled=True, actor=actor, now=now)
    imported.application = application
    record_act(
        EventTag.APPLICATION_IMPORTED,
        application,
        actor,
        now,
        {
            "exportedAt": [None, document.exported_at.isoformat()],
            "clientIdKept": [None, keep_client_id],
            "leftOut": [None, len(imported.left_out)],
        },
    )
    return imported


def _registered(
    document: Document,
    tenant: Tenant,
    keep_client_id: bool,
    *,
    without_uri: bool,
    actor: Actor,
    now: datetime,
) -> Application:
    """The registration itself, with nothing on it yet. Raises TransferError where its id or URI is taken."""
    if keep_client_id and Application.objects.filter(client_id=document.client_id).exists():
        raise TransferError(
            "client_id_taken",
            f"A registration with the application (client) ID {document.client_id} is here already. Import "
            "without keeping the ID, and the new one gets an ID of its own; or delete the other permanently.",
        )
    uri = _uri(document, without=without_uri, keeps_id=keep_client_id)
    if uri and (holder := holder_of_uri(tenant, uri)):
        raise TransferError(
            "uri_taken",
            f"{holder.display_name} has the Application ID URI {uri} here. Import without the URI "
            "and set another one afterwards, or remove it there first.",
        )
    application = register_application(
        tenant=tenant,
        display_name=document.display_name,
        sign_in_audience=document.sign_in_audience,
        identifier_uri=uri,
        notes=document.notes,
        place=_place(document),
        actor=actor,
        now=now,
    )
    if keep_client_id:
        application.client_id = document.client_id
        application.save(update_fields=["client_id"])
    return application


def _uri(document: Document, *, without: bool, keeps_id: bool) -> str:
    """api://<own client id> belongs to the old id."""
    if without or (not keeps_id and str(document.client_id) in document.identifier_uri):
        return ""
    return document.identifier_uri


def _place(document: Document) -> Place:
    if document.authority_kind == BUILT_IN:
        return HERE
    if document.authority_kind == OIDC:
        return oidc_place(issuer=document.authority_url, client_id=document.external_client_id)
    if document.authority_kind != ENTRA:
        raise damaged()
    parts = entra_parts(document.authority_url)
    if parts.cloud is None:
        raise damaged()
    return entra_place(cloud=parts.cloud.key, tenant=parts.tenant, client_id=document.external_client_id)


def _exposed(application: Application, document: Document, actor: Actor, now: datetime) -> Application:
    return update_application(
        application,
        access_token_version=document.access_token_version,
        app_role_assignment_required=document.app_role_assignment_required,
        includes_idtyp=document.includes_idtyp,
        expected_version=application.version,
        actor=actor,
        now=now,
    )


def _add_roles_and_permissions(imported: Imported, document: Document, actor: Actor, now: datetime) -> None:
    application = imported.application
    own: dict[uuid.UUID, uuid.UUID] = {}
    for role in document.roles:
        made = add_app_role(
            application,
            display_name=role.display_name,
            value=role.value,
            description=role.description,
            is_enabled=role.is_enabled,
            actor=actor,
            now=now,
        )
        own[role.id] = made.pk
    missing = 0
    for api, role_id in document.permissions:
        is_own = api == document.client_id
        try:
            with transaction.atomic():
                request_permissions(
                    application,
                    api_client_id=application.client_id if is_own else api,
                    role_ids=[own.get(role_id, role_id) if is_own else role_id],
                    actor=actor,
                    now=now,
                )
        except DomainError:
            missing += 1
    if missing:
        imported.left_out.append(
            f"{counted(missing, 'API permission')}: the API or the app role is not in this directory."
        )
    if missing < len(document.permissions):
        imported.left_out.append("Admin consent: what the permissions give has to be granted here.")


def _add_federated(imported: Imported, document: Document, actor: Actor, now: datetime) -> None:
    for each in document.federated:
        add_federated_credential(
            imported.application,
            name=each.name,
            issuer=each.issuer,
            subject=each.subject,
            audience=each.audience,
            description=each.description,
            actor=actor,
            now=now,
        )


@sensitive_variables()
def _add_secrets(imported: Imported, document: Document, actor: Actor, now: datetime) -> None:
    application = imported.application
    for each in document.secrets:
        if application.is_external:
            add_existing_secret(
                application,
                value=each.value,
                as_is=True,
                description=each.description,
                start_at=each.start_at,
                end_at=each.end_at,
                allow_past_end=True,
                actor=actor,
                now=now,
            )
            continue
        if each.end_at is None:
            raise damaged()
        check_period(each.start_at, each.end_at, now=now, allow_past_end=True)
        value = clean_value(each.value, application, as_is=True)
        secret = ClientSecret(
            application=application,
            description=clean_description(each.description, SecretError),
            hint=hint_of(value),
            start_at=each.start_at,
            end_at=each.end_at,
            created_at=now,
            created_by=actor.user,
            created_by_name=actor.name,
        )
        secret.verifier = verifier_for(secret.id, value)
        seal_into(secret, "value", value.encode())
        insert_secret(secret, tag=EventTag.SECRET_IMPORTED, actor=actor, now=now)
    imported.left_out += [
        f"The client secret {name}: only its digest was kept, which works nowhere else. Add a new one."
        for name in document.left_behind
    ]


@sensitive_variables()
def _add_certificates(imported: Imported, document: Document, actor: Actor, now: datetime) -> None:
    for each in document.certificates:
        examination = examine(
            imported.application,
            certificate_file=each.der,
            keep_private_key=each.private_key is not None,
            key_file=each.private_key,
            now=now,
        )
        if examination.blocks:
            imported.left_out.append(f"The certificate {each.description}: {examination.findings[0].heading}")
            continue
        add_certificate(
            imported.application, examination=examination, description=each.description, actor=actor, now=now
        )
