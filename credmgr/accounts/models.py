"""The people who use the portal, and what guards their way in."""

import uuid
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class User(AbstractUser):
    """A person. Until roles exist everyone here is an administrator.

    last_directory_id: where the person worked last, and begins the next time. An id alone: directories are of
    a higher layer, and one may be deleted meanwhile.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    last_directory_id = models.UUIDField(null=True, blank=True)

    @property
    def shown_name(self) -> str:
        """Full name if given, else the user name."""
        return self.get_full_name() or self.username


class Session(AbstractBaseSession):
    """A browser's session. user: who signed in with it, so that a person's sessions can be ended at once."""

    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")

    class Meta(AbstractBaseSession.Meta):
        pass

    @classmethod
    def get_session_store_class(cls) -> Any:
        """The store that reads and writes these rows."""
        return import_module(settings.SESSION_ENGINE).SessionStore


class SetupLink(models.Model):
    """The one-time link that makes the first administrator. Only the token's digest is stored."""

    digest = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Set-up link until {self.expires_at:%H:%M:%S}"


class ThrottleCounter(models.Model):
    """Attempts counted per key and slice of time, shared by all processes; see throttling.

    key names what is limited and ends in a keyed digest, never a typed value in clear.
    """

    key = models.CharField(max_length=100)
    window_start = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "window_start"], name="throttle_key_window")]

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"
