"""The acts on certificates: add what an examination has found, delete, forget a kept private key.

`now` is aware UTC; refusals are CertificateErrors.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.views.decorators.debug import sensitive_variables

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor
from credmgr.credentials import x509
from credmgr.credentials.descriptions import clean_description
from credmgr.credentials.errors import CertificateError, CredentialNotFoundError
from credmgr.credentials.findings import Examination, check_room
from credmgr.credentials.models import Certificate
from credmgr.registrations.acting import Changes, Part, locked, record_act
from credmgr.registrations.models import Application
from credmgr.vault.sealing import open_from, seal_into


def add_certificate(
    application: Application, *, examination: Examination, description: str, actor: Actor, now: datetime
) -> Certificate:
    """Store an examined certificate, and its private key when that was examined too; both sealed.

    What may have changed since the examination is checked again inside the transaction. Raises
    CertificateError.
    """
    parsed = examination.parsed
    if examination.blocks or parsed is None:
        worst = examination.findings[0]
        message = f"{worst.heading} {worst.advice}".strip()
        raise CertificateError(worst.code, message, field=worst.field)
    certificate = row_of(application, parsed, clean_description(description, CertificateError))
    certificate.created_at = now
    certificate.created_by = actor.user
    certificate.created_by_name = actor.name
    seal_into(certificate, "der", parsed.der)
    if examination.private_key_pem is not None:
        seal_into(certificate, "private_key", examination.private_key_pem)
    try:
        with transaction.atomic():
            fresh = locked(application)
            x509.check_in_date(parsed, now)
            check_room(fresh, parsed)
            certificate.save(force_insert=True)
            _record(EventTag.CERTIFICATE_ADDED, certificate, actor, now, _facts(certificate))
    except IntegrityError:
        check_room(application, parsed)  # a parallel upload of the same file was faster
        raise
    return certificate


@transaction.atomic
def delete_certificate(certificate: Certificate, *, actor: Actor, now: datetime) -> None:
    """Remove a certificate for good, its kept private key with it (E-7)."""
    fresh = _locked(certificate)
    _record(EventTag.CERTIFICATE_DELETED, fresh, actor, now)
    fresh.delete()


@transaction.atomic
def forget_private_key(certificate: Certificate, *, actor: Actor, now: datetime) -> Certificate:
    """Remove the kept private key and leave the certificate as it is. Returns the fresh row."""
    fresh = _locked(certificate)
    if not fresh.has_private_key:
        raise CertificateError(
            "key_not_kept", "No private key is kept for this certificate. Nothing was changed."
        )
    fresh.private_key = None
    fresh.save(update_fields=["private_key"])
    _record(EventTag.PRIVATE_KEY_FORGOTTEN, fresh, actor, now)
    return fresh


def open_certificate(certificate: Certificate) -> bytes:
    """The certificate in DER, as uploaded. Raises VaultError."""
    return open_from(certificate, "der")


@sensitive_variables()
def open_private_key(certificate: Certificate) -> bytes:
    """The kept private key, PKCS #8 PEM, for a test inside the server.

    Raises CertificateError, VaultError.
    """
    if not certificate.has_private_key:
        raise CertificateError(
            "key_not_kept",
            "The private key of this certificate is not kept here. Choose the key file to test it; "
            "it is used once and not stored.",
            field="private_key_file",
        )
    return open_from(certificate, "private_key")


def row_of(application: Application, parsed: x509.ParsedCertificate, description: str) -> Certificate:
    """What a certificate says of itself, in a row not yet sealed and not yet saved."""
    return Certificate(
        application=application,
        description=description or parsed.shown_subject,
        thumbprint_sha1=parsed.thumbprint_sha1,
        thumbprint_sha256=parsed.thumbprint_sha256,
        subject=parsed.subject,
        issuer=parsed.issuer,
        alternative_names=parsed.alternative_names,
        serial_number=parsed.serial_number,
        key_type=parsed.key_type,
        key_size=parsed.key_size,
        signature_algorithm=parsed.signature_algorithm,
        start_at=parsed.start_at,
        end_at=parsed.end_at,
    )


def _facts(certificate: Certificate) -> dict[str, list[object]]:
    return {
        "thumbprint": [None, certificate.thumbprint_sha1],
        "thumbprintSha256": [None, certificate.thumbprint_sha256],
        "endDateTime": [None, certificate.end_at.isoformat()],
        "privateKeyKept": [None, certificate.has_private_key],
    }


def _locked(certificate: Certificate) -> Certificate:
    locked(certificate.application)
    try:
        return Certificate.objects.select_for_update().get(pk=certificate.pk)
    except Certificate.DoesNotExist:
        raise CredentialNotFoundError(
            "certificate_deleted", "This certificate was deleted meanwhile. Nothing was changed."
        ) from None


def _record(
    tag: EventTag, certificate: Certificate, actor: Actor, now: datetime, changes: Changes | None = None
) -> None:
    part = Part("certificate", certificate.pk, certificate.description)
    record_act(tag, certificate.application, actor, now, changes, part=part)
