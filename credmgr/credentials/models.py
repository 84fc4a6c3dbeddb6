"""What an application proves itself with. A row's id is the keyId (Secret ID, Certificate ID)."""

import uuid

from django.conf import settings
from django.db import models

from credmgr.registrations.models import Application
from credmgr.vault.fields import SealedField, VerifierField


class ClientSecret(models.Model):
    """A client secret.

    value is sealed (null for verify-only); verifier is the keyed digest the endpoint compares. end_at is null
    where nobody here knows it: only for a pasted secret of a registration that lives elsewhere.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, related_name="client_secrets", db_index=False
    )
    description = models.CharField(max_length=256, blank=True)
    hint = models.CharField(max_length=3)
    value = SealedField(null=True, place=("client_secret", "value"))
    verifier = VerifierField(value="value", expires="end_at")
    start_at = models.DateTimeField()
    end_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_by_name = models.TextField(blank=True)
    form_token = models.UUIDField(null=True, unique=True)

    class Meta:
        indexes = [
            models.Index(fields=["hint"], name="client_secret_hint"),
            models.Index(fields=["application", "end_at", "start_at"], name="client_secret_by_end"),
        ]
        constraints = [
            # A digest without a value keeps its vault key until the end: there has to be one.
            models.CheckConstraint(
                condition=models.Q(end_at__isnull=False) | models.Q(value__isnull=False),
                name="digest_alone_has_an_end",
            )
        ]

    def __str__(self) -> str:
        """For messages and the shell."""
        return self.description or str(self.pk)

    @property
    def is_verify_only(self) -> bool:
        """Whether only the digest was kept, so that a test has to ask for the value."""
        return self.value is None


class Certificate(models.Model):
    """A certificate (a key credential).

    der is sealed; thumbprints are upper-case hex over the DER as uploaded.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, related_name="certificates", db_index=False
    )
    description = models.TextField(blank=True)
    der = SealedField(place=("certificate", "der"))
    private_key = SealedField(null=True, place=("certificate", "private_key"))
    thumbprint_sha1 = models.CharField(max_length=40, db_index=True)
    thumbprint_sha256 = models.CharField(max_length=64, db_index=True)
    subject = models.TextField(blank=True)
    issuer = models.TextField(blank=True)
    alternative_names = models.JSONField(default=list)
    serial_number = models.TextField(blank=True)
    key_type = models.CharField(max_length=32)
    key_size = models.PositiveIntegerField()
    signature_algorithm = models.TextField(blank=True)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_by_name = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["application", "end_at", "start_at"], name="certificate_by_end")]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "thumbprint_sha256"], name="certificate_once_per_application"
            )
        ]

    def __str__(self) -> str:
        """For messages and the shell."""
        return self.description or self.thumbprint_sha1

    @property
    def has_private_key(self) -> bool:
        """Whether its owner chose to keep the private key here, sealed."""
        return self.private_key is not None


class FederatedCredential(models.Model):
    """Trust in one identity of an outside issuer: its signed tokens prove the application (RFC 7523).

    issuer, subject and audience are compared to the letter. name never changes; version counts edits (C-4).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, related_name="federated_credentials", db_index=False
    )
    name = models.CharField(max_length=120)
    issuer = models.CharField(max_length=600)
    subject = models.CharField(max_length=600)
    audience = models.CharField(max_length=600)
    description = models.CharField(max_length=600, blank=True)
    version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_by_name = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application", "name"], name="federated_name_once"),
            models.UniqueConstraint(
                fields=["application", "issuer", "subject"], name="federated_identity_once"
            ),
        ]

    def __str__(self) -> str:
        """For messages and the shell."""
        return self.name
