"""The people who use the portal, and what guards their way in."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person. Until roles exist everyone here is an administrator."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    @property
    def shown_name(self) -> str:
        """Full name if given, else the user name."""
        return self.get_full_name() or self.username


class SetupLink(models.Model):
    """The one-time link that makes the first administrator. Only the token's digest is stored."""

    digest = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class ThrottleCounter(models.Model):
    """Failures counted per key and time window, shared by all processes.

    key names what is limited ("sign-in:account:..." hashed, never a typed value in clear).
    """

    key = models.CharField(max_length=100)
    window_start = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "window_start"], name="throttle_key_window")]
