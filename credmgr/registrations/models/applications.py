"""The applications registered in directories: themselves, their owners and names."""

import uuid
from datetime import UTC, datetime

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from credmgr.registrations.models.directories import Tenant

SINGLE_TENANT = "AzureADMyOrg"
MULTITENANT = "AzureADMultipleOrgs"
AUDIENCES = [
    (SINGLE_TENANT, "Accounts in this organizational directory only (single tenant)"),
    (MULTITENANT, "Accounts in any organizational directory (multitenant)"),
]

BUILT_IN = "built-in"
ENTRA = "entra"
OIDC = "oidc"
AUTHORITY_KINDS = [
    (BUILT_IN, "The built-in authority"),
    (ENTRA, "Microsoft Entra ID"),
    (OIDC, "Another OpenID Connect issuer"),
]

# A registration's state by its credentials at some moment, in the order of the list; whether the nearest end
# is soon is asked at the time of reading.
NO_LIVE_CREDENTIAL, CURRENT_WITH_EXPIRED, CURRENT_CREDENTIALS, NO_CREDENTIALS = range(4)
# Stand for "none" where databases order NULL differently.
NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)


class Application(models.Model):
    """An app registration with its service principal in the home directory.

    id is the object id, client_id the application (client) id, service_principal_id the `oid` of its tokens:
    three different GUIDs. access_token_version is what tokens *for* this application look like (null and 1:
    v1). app_role_assignment_required: no token for this application without one of its app roles.
    includes_idtyp: its tokens say idtyp "app".

    A registration may live elsewhere (authority_kind): authority_url is then the Entra address with its
    tenant or the issuer as typed, external_client_id the client id there. The built-in authority knows
    nothing of such a one, and its own three GUIDs are shown nowhere.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    service_principal_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="applications")
    display_name = models.CharField(max_length=256)
    sign_in_audience = models.CharField(max_length=64, choices=AUDIENCES, default=SINGLE_TENANT)
    notes = models.TextField(blank=True, max_length=1024)
    is_disabled = models.BooleanField(default=False)
    access_token_version = models.PositiveSmallIntegerField(null=True, default=2)
    app_role_assignment_required = models.BooleanField(default=False)
    includes_idtyp = models.BooleanField(default=False)
    authority_kind = models.CharField(max_length=16, choices=AUTHORITY_KINDS, default=BUILT_IN)
    authority_url = models.CharField(max_length=600, blank=True)
    external_client_id = models.CharField(max_length=255, blank=True)
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_by_name = models.TextField(blank=True)
    deleted_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)
    form_token = models.UUIDField(null=True, unique=True)
    owners = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Ownership", related_name="owned_applications"
    )
    # What credentials.stored_status keeps here for the list; a registration begins without credentials.
    credential_state = models.PositiveSmallIntegerField(default=NO_CREDENTIALS, editable=False)
    credential_end = models.DateTimeField(default=NEVER, editable=False)
    credential_state_from = models.DateTimeField(default=LONG_AGO, editable=False)
    credential_state_until = models.DateTimeField(default=NEVER, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["credential_state_until"], name="application_status_until"),
            models.Index(fields=["credential_state_from"], name="application_status_from"),
            # Holds the names as they are too: whoever searches for a part reads this, not the rows.
            models.Index(
                "tenant",
                "deleted_at",
                Lower("display_name"),
                "id",
                "display_name",
                name="application_by_name",
            ),
            # Of each status in the order of names; of all by their ends, with what an order by status asks.
            models.Index(
                "tenant",
                "deleted_at",
                "credential_state",
                Lower("display_name"),
                "id",
                "credential_end",
                name="application_by_status",
            ),
            models.Index(
                "tenant",
                "deleted_at",
                "credential_end",
                Lower("display_name"),
                "id",
                "display_name",
                "credential_state",
                name="application_by_end",
            ),
            models.Index(fields=["tenant", "deleted_at", "created_at"], name="application_by_creation"),
            # Those that live elsewhere, which are few, in the order of names; and what a search looks for.
            models.Index(
                "tenant",
                "authority_kind",
                "deleted_at",
                Lower("display_name"),
                "id",
                condition=~models.Q(authority_kind=BUILT_IN),
                name="application_elsewhere_name",
            ),
            models.Index(
                fields=[
                    "tenant",
                    "authority_kind",
                    "deleted_at",
                    "external_client_id",
                    "authority_url",
                    "id",
                ],
                condition=~models.Q(authority_kind=BUILT_IN),
                name="application_elsewhere",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "authority_url", "external_client_id"],
                condition=models.Q(deleted_at=None) & ~models.Q(authority_kind=BUILT_IN),
                name="one_live_external_registration",
            )
        ]

    def __str__(self) -> str:
        """For messages and the shell."""
        return self.display_name

    @property
    def is_external(self) -> bool:
        """Whether it lives at an authority other than the built-in one."""
        return self.authority_kind != BUILT_IN

    @property
    def shown_client_id(self) -> str:
        """The client id that its clients use, wherever it lives."""
        return self.external_client_id if self.is_external else str(self.client_id)


class NameKey(models.Model):
    """A number for each registration, by which the index of names knows it: a row's own may change when the
    file is compacted. SQLite's alone, kept by triggers (`name_parts`).
    """

    application_id = models.UUIDField(unique=True)

    class Meta:
        managed = False
        db_table = "registrations_namekey"

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"{self.pk}: {self.application_id}"


class NamePart(models.Model):
    """A name in the index of three letters each (FTS5), under the number of its NameKey."""

    id = models.BigAutoField(primary_key=True, db_column="rowid")
    name = models.CharField(max_length=256)

    class Meta:
        managed = False
        db_table = "registrations_namepart"

    def __str__(self) -> str:
        """For messages and the shell."""
        return self.name


class Ownership(models.Model):
    """A person who owns a registration."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="ownerships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="ownerships")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "user"], name="one_ownership")]

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"{self.user_id} owns {self.application_id}"


class IdentifierUri(models.Model):
    """An Application ID URI. Unique in its directory among registrations that are not deleted."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="identifier_uris")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    uri = models.CharField(max_length=255)
    is_released = models.BooleanField(default=False)

    class Meta:
        # Of other directories' multitenant APIs too, hence beside the constraint's own.
        indexes = [models.Index(fields=["uri"], name="identifier_uri_by_text")]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "uri"],
                condition=models.Q(is_released=False),
                name="one_live_identifier_uri",
            )
        ]

    def __str__(self) -> str:
        """For messages and the shell."""
        return self.uri
