"""The authority's own keys."""

import uuid

from django.db import models

from credmgr.vault.fields import SealedField


class SigningKey(models.Model):
    """A key that signs access tokens, with its self-signed certificate. kid is base64url(SHA-1(DER))."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kid = models.CharField(max_length=64, unique=True)
    certificate = models.BinaryField()
    private_key = SealedField(place=("signing_key", "private_key"))
    created_at = models.DateTimeField()
    signs_from = models.DateTimeField()
    published_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.kid
