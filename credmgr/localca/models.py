"""The local certificate authority that makes https on localhost possible."""

import uuid

from django.db import models

from credmgr.vault.fields import SealedField


class LocalAuthority(models.Model):
    """The CA's certificate with its sealed key, and the sealed password of the TLS leaf's key file."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    certificate = models.BinaryField()
    private_key = SealedField(place=("local_ca", "private_key"))
    leaf_password = SealedField(place=("local_ca", "leaf_password"))
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Local CA of {self.created_at:%Y-%m-%d}"
