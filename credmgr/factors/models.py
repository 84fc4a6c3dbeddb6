"""What allauth's table of authenticators must not hold in clear: secrets of apps, seeds of recovery codes."""

import uuid

from django.conf import settings
from django.db import models

from credmgr.vault.fields import SealedField

APP = "totp"
RECOVERY_CODES = "recovery_codes"
PASSKEY = "webauthn"
# An authenticator app that is being set up: its first code has not been given yet.
PENDING_APP = "totp-pending"


class FactorSecret(models.Model):
    """A sealed secret of one person and kind. allauth's row names it by its id in place of the secret.

    The id is derived from the person and the kind (id_of), and the vault binds the ciphertext to it: a value
    copied to somebody else's row does not open there.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    value = SealedField(place=("factor_secret", "value"))
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"{self.kind} of {self.user_id}"


def id_of(user_id: uuid.UUID, kind: str) -> uuid.UUID:
    """The only id that a person's secret of a kind can have."""
    return uuid.uuid5(user_id, kind)
