"""Directories (tenants) and their domains."""

import uuid

from django.db import models

# Of whom a directory demands a second factor.
NOBODY, ADMINISTRATORS, EVERYBODY = "nobody", "administrators", "everybody"
_ASKED = [(NOBODY, "Nobody"), (ADMINISTRATORS, "Administrators"), (EVERYBODY, "Everybody")]


class Tenant(models.Model):
    """A directory. Its id is the tenant id in every URL and token.

    single_use_assertions: a client assertion's jti works once. is_test marks a directory for testing other
    people's code; only then test_switches count ({} when all are off).
    second_factor_for: whoever of these has none gets no further than to setting one up. version counts edits
    (C-4).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=256)
    created_at = models.DateTimeField()
    is_default = models.BooleanField(default=False)
    is_test = models.BooleanField(default=False)
    single_use_assertions = models.BooleanField(default=False)
    test_switches = models.JSONField(default=dict)
    second_factor_for = models.CharField(max_length=16, choices=_ASKED, default=NOBODY)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="one_default_tenant"
            )
        ]

    def __str__(self) -> str:
        """For messages and the shell."""
        return self.name


class DirectorySize(models.Model):
    """How many registrations of a directory are not deleted. Kept by triggers alone (`directory_sizes`)."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, primary_key=True, related_name="+")
    live = models.IntegerField(default=0)

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"{self.tenant_id}: {self.live}"


class TenantDomain(models.Model):
    """A verified domain name, lower case; usable wherever the tenant id is."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="domains")
    name = models.CharField(max_length=253, unique=True)
    is_initial = models.BooleanField(default=False)

    def __str__(self) -> str:
        """For messages and the shell."""
        return self.name
