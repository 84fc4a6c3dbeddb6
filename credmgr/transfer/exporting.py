"""Writes a registration with its credentials into a file sealed under a passphrase."""

from datetime import datetime

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor
from credmgr.credentials.certificates import open_certificate, open_private_key
from credmgr.credentials.client_secrets import open_value
from credmgr.registrations.acting import locked, record_act
from credmgr.registrations.models import Application, RequestedPermission
from credmgr.registrations.queries import identifier_uri_of
from credmgr.transfer.document import CertificateFile, Document, Federated, Role, Secret, to_bytes
from credmgr.vault.passphrase import Kind, require_good_passphrase, seal_with_passphrase


@sensitive_variables()
def export_registration(application: Application, *, passphrase: str, actor: Actor, now: datetime) -> bytes:
    """The file. Raises PassphraseError for a weak passphrase, RegistrationNotFoundError, VaultError.

    The audit event is committed before the file exists: no copy without its row. scrypt runs outside the
    transaction (C-3).
    """
    require_good_passphrase(passphrase)
    with transaction.atomic():
        fresh = locked(application)
        document = _document_of(fresh, now)
        record_act(
            EventTag.APPLICATION_EXPORTED,
            fresh,
            actor,
            now,
            {
                "clientSecrets": [None, len(document.secrets)],
                "certificates": [None, len(document.certificates)],
                "privateKeys": [None, sum(each.private_key is not None for each in document.certificates)],
                "federatedCredentials": [None, len(document.federated)],
            },
        )
    return seal_with_passphrase(Kind.REGISTRATION, passphrase, to_bytes(document))


@sensitive_variables()
def _document_of(application: Application, now: datetime) -> Document:
    secrets = list(application.client_secrets.order_by("created_at", "pk"))
    return Document(
        display_name=application.display_name,
        notes=application.notes,
        sign_in_audience=application.sign_in_audience,
        client_id=application.client_id,
        identifier_uri=identifier_uri_of(application),
        is_disabled=application.is_disabled,
        access_token_version=application.access_token_version,
        app_role_assignment_required=application.app_role_assignment_required,
        includes_idtyp=application.includes_idtyp,
        authority_kind=application.authority_kind,
        authority_url=application.authority_url,
        external_client_id=application.external_client_id,
        exported_at=now,
        left_behind=[each.description or f"{each.hint}..." for each in secrets if each.is_verify_only],
        roles=[
            Role(each.pk, each.display_name, each.value, each.description, each.is_enabled)
            for each in application.app_roles.order_by("created_at", "pk")
        ],
        permissions=list(
            RequestedPermission.objects.filter(application=application)
            .order_by("pk")
            .values_list("resource_client_id", "role_id")
        ),
        secrets=[
            Secret(each.description, each.start_at, each.end_at, open_value(each))
            for each in secrets
            if not each.is_verify_only
        ],
        certificates=[
            CertificateFile(
                each.description,
                open_certificate(each),
                open_private_key(each) if each.has_private_key else None,
            )
            for each in application.certificates.order_by("created_at", "pk")
        ],
        federated=[
            Federated(each.name, each.issuer, each.subject, each.audience, each.description)
            for each in application.federated_credentials.order_by("created_at", "pk")
        ],
    )
