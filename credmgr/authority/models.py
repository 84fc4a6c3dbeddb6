"""The authority's own keys."""

import uuid

from django.db import models

from credmgr.vault.fields import SealedField


class SigningKey(models.Model):
    """A key that signs access tokens, with its self-signed certificate. kid is base64url(SHA-1(DER)).

    is_withdrawn: out of the key set for good. A moment alone would bring it back under a clock that is set
    back.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kid = models.CharField(max_length=64, unique=True)
    certificate = models.BinaryField()
    private_key = SealedField(place=("signing_key", "private_key"))
    created_at = models.DateTimeField()
    signs_from = models.DateTimeField()
    published_until = models.DateTimeField(null=True)
    is_withdrawn = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.kid


class UsedAssertion(models.Model):
    """A client assertion that got its token in a directory that takes each one once (A-12).

    digest: what used_assertions makes of its issuer and jti. expires_at: when the assertion runs out anyway,
    so that the row may go.
    """

    client_id = models.UUIDField()
    digest = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client_id", "digest"], name="one_use_of_an_assertion")
        ]

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"{self.client_id} until {self.expires_at}"
