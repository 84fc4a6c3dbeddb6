"""The people who use the portal, and what guards their way in."""

import uuid
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class User(AbstractUser):
    """A person. What one may do is said by role assignments; without any, nothing.

    last_directory_id: where the person worked last, and begins the next time. An id alone: directories are of
    a higher layer, and one may be deleted meanwhile.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    last_directory_id = models.UUIDField(null=True, blank=True)

    @property
    def shown_name(self) -> str:
        """Full name if given, else the user name."""
        return self.get_full_name() or self.username


BY_HAND, BY_PROVIDER = "", "provider"


class RoleAssignment(models.Model):
    """A role of a person in one directory; tenant_id null: in every directory, also those made later.

    An id alone: directories are of a higher layer, and rows of a deleted one give nothing. source: BY_HAND,
    or BY_PROVIDER for what single sign-on told at the last sign-in; they are kept apart and count together.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="role_assignments")
    tenant_id = models.UUIDField(null=True, db_index=True)
    role = models.CharField(max_length=32)
    created_at = models.DateTimeField()
    created_by_name = models.TextField(blank=True)
    source = models.CharField(max_length=16, default=BY_HAND, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "tenant_id", "role", "source"], name="one_role_in_a_directory"
            ),
            models.UniqueConstraint(
                fields=["user", "role", "source"],
                condition=models.Q(tenant_id__isnull=True),
                name="one_role_in_every_directory",
            ),
        ]

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"{self.user_id} is {self.role} in {self.tenant_id or 'every directory'}"


class ExternalIdentity(models.Model):
    """Somebody of an OpenID Connect provider who signs in here: known by issuer and subject, nothing else.

    Neither names nor addresses are compared: a provider gives those to somebody else one day.
    """

    issuer = models.CharField(max_length=600)
    subject = models.CharField(max_length=255)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="external_identities")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="one_person_of_a_subject"),
            models.UniqueConstraint(fields=["user", "issuer"], name="one_subject_of_a_person"),
        ]

    def __str__(self) -> str:
        """For messages and the shell; the subject says nothing to anybody here."""
        return f"{self.user_id} of {self.issuer}"


class Invitation(models.Model):
    """A one-time link with which somebody becomes a person here. Only the token's digest is stored (P11).

    roles: names of roles, in the directory tenant_id (null: everywhere).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.BinaryField(max_length=32, unique=True)
    invited_name = models.CharField(max_length=150)
    tenant_id = models.UUIDField(null=True, db_index=True)
    roles = models.JSONField(default=list)
    created_at = models.DateTimeField()
    created_by_name = models.TextField(blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"Invitation for {self.invited_name} until {self.expires_at:%Y-%m-%d}"


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
