"""What happened, append-only but for what is too old (retention). Rows hold ids, not foreign keys: they
outlive what they speak of.
"""

import uuid

from django.db import models

from credmgr.vault.fields import SealedField


class AuditEvent(models.Model):
    """One act of a person or a command, written in the transaction of the act. Never holds values."""

    sequence = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    tenant_id = models.UUIDField(null=True)
    application_id = models.UUIDField(null=True)
    actor_id = models.UUIDField(null=True)
    actor_name = models.TextField()
    address = models.TextField(blank=True)
    tag = models.TextField()
    object_type = models.TextField(blank=True)
    object_id = models.TextField(blank=True)
    object_name = models.TextField(blank=True)
    succeeded = models.BooleanField(default=True)
    changes = models.JSONField(default=dict)
    correlation_id = models.UUIDField(default=uuid.uuid4)
    # Its place in its chain, see audit.chain. Null only between an upgrade and the first start after it.
    chain = models.UUIDField(null=True)
    position = models.BigIntegerField(null=True)
    hash = models.BinaryField(max_length=32, null=True)

    class Meta:
        indexes = [
            # Newest first; with the directory, so that no others' rows are read.
            models.Index(
                fields=["application_id", "-sequence", "tenant_id", "actor_id"], name="audit_by_application"
            ),
            # For the filters of the page.
            models.Index(fields=["tag", "-sequence", "tenant_id"], name="audit_by_activity"),
            models.Index(
                fields=["-sequence", "tenant_id"],
                name="audit_refused",
                condition=models.Q(succeeded=False),
            ),
            models.Index(
                fields=["actor_id", "-sequence", "tenant_id"],
                name="audit_by_person",
                condition=models.Q(actor_id__isnull=False),
            ),
            # Whoever has an ID finds its entries, however old they are.
            models.Index(fields=["object_id", "-sequence"], name="audit_by_object"),
            models.Index(fields=["correlation_id", "-sequence"], name="audit_by_correlation"),
        ]
        constraints = [models.UniqueConstraint(fields=["chain", "position"], name="audit_one_row_per_place")]

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"{self.tag} by {self.actor_name} at {self.at}"


class AuditChain(models.Model):
    """Where the chain of a directory (or of the installation) ends: its row is the lock of all who append.

    length: rows so far; head: hash of the last one; seal: vouches for both. first_position: where it begins
    since older rows were deleted; before: hash of the last of those; start_seal: vouches for both.
    """

    id = models.UUIDField(primary_key=True)
    length = models.BigIntegerField(default=0)
    head = models.BinaryField(max_length=32)
    seal = models.BinaryField(max_length=32)
    first_position = models.BigIntegerField(default=1)
    before = models.BinaryField(max_length=32, null=True)
    start_seal = models.BinaryField(max_length=32, null=True)

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"{self.id}: {self.length} entries"


class AuditKey(models.Model):
    """The sealed key of a chain, in force from first_position on. A chain has one, unless it could once not
    be opened.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    chain = models.UUIDField()
    first_position = models.BigIntegerField()
    key = SealedField(place=("audit_key", "key"))
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["chain", "first_position"], name="audit_key_by_chain")]

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"{self.chain} from {self.first_position}"


class AuditCheck(models.Model):
    """What came of the last check of a chain. A note for people: the check itself is verify_audit.

    entries: the chain's length then; first: the first entry that was looked at. findings: sentences, few;
    more: how many further ones there were.
    """

    chain = models.UUIDField(primary_key=True)
    at = models.DateTimeField()
    by = models.TextField()
    entries = models.BigIntegerField()
    first = models.BigIntegerField(default=1)
    findings = models.JSONField(default=list)
    more = models.IntegerField(default=0)

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"{self.chain} at {self.at}"

    @property
    def is_intact(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


class SealedSignIns(models.Model):
    """Up to when a directory's sign-ins are in its chain; under the nil id, up to when all were looked at.

    seen: the newest sign-in's sequence then.
    """

    tenant_id = models.UUIDField(primary_key=True)
    until = models.DateTimeField()
    seen = models.BigIntegerField()

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"{self.tenant_id} until {self.until}"


class Forwarded(models.Model):
    """Up to which entry a chain was taken by the receiver of forwarded entries."""

    chain = models.UUIDField(primary_key=True)
    position = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"{self.chain} up to {self.position}"


class SignIn(models.Model):
    """One answered token request of a known client, committed before the answer leaves.

    error_code 0 is success, else the number after AADSTS. credential_type as in Graph's sign-in log: none,
    clientSecret, certificate, clientAssertion, federatedIdentityCredential. count is above 1 where a flood of
    alike refusals was folded into one row.
    """

    sequence = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    trace_id = models.UUIDField()
    correlation_id = models.UUIDField()
    tenant_id = models.UUIDField()
    client_id = models.TextField()
    application_id = models.UUIDField(null=True)
    service_principal_id = models.UUIDField(null=True)
    resource = models.TextField(blank=True)
    resource_id = models.TextField(blank=True)
    error_code = models.IntegerField(default=0)
    credential_id = models.UUIDField(null=True)
    credential_type = models.TextField(default="none")
    thumbprint = models.TextField(blank=True)
    address = models.TextField(blank=True)
    token_id = models.TextField(blank=True)
    count = models.PositiveIntegerField(default=1)
    # What a test directory did on purpose: names of its switches, comma-separated.
    test_switches = models.TextField(blank=True)
    # Rows that alike refusals of one minute are counted in carry a key; all others null.
    fold_key = models.TextField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["fold_key"], condition=models.Q(fold_key__isnull=False), name="signin_folded_once"
            )
        ]
        # By time, which is what every reader asks for. Ascending, though the newest is read first: a row is
        # appended at the end of its part, and reading backwards costs nothing.
        indexes = [
            models.Index(fields=["application_id", "at"], name="signin_by_application"),
            models.Index(
                fields=["credential_id", "at"],
                name="signin_by_credential",
                condition=models.Q(credential_id__isnull=False),
            ),
            models.Index(fields=["address", "at"], name="signin_by_address"),
            # Refusals are few and what people look for; a token costs nothing here.
            models.Index(
                fields=["tenant_id", "at"], name="signin_refused", condition=models.Q(error_code__gt=0)
            ),
        ]

    def __str__(self) -> str:
        """For messages and the shell."""
        outcome = f"AADSTS{self.error_code}" if self.error_code else "success"
        return f"{self.client_id}: {outcome} at {self.at}"


class HourOfSignIns(models.Model):
    """How many sign-ins of a directory ended with one code in the hour from `hour` on (UTC), of those up to
    SummedSignIns.seen: so many rows, which stand for so many requests. Derived, see audit.sign_in_sums.

    application_id: the nil id in the sums of all applications. Busy ones have sums of their own beside them.
    """

    tenant_id = models.UUIDField()
    application_id = models.UUIDField(default=uuid.UUID(int=0))
    hour = models.DateTimeField(db_index=True)
    error_code = models.IntegerField()
    row_count = models.BigIntegerField()
    request_count = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "application_id", "hour", "error_code"], name="signins_summed_once"
            )
        ]

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"{self.tenant_id}: {self.request_count} with {self.error_code} from {self.hour} on"


class SummedSignIns(models.Model):
    """The one row that says which sign-ins are in the sums of hours: those with a sequence up to `seen`.

    Whoever changes sums locks it first. looked: `seen` when busy applications were last looked for.
    """

    seen = models.BigIntegerField(default=0)
    looked = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"up to {self.seen}"


class BusyApplication(models.Model):
    """One with so many sign-ins that its own are summed by the hour, too."""

    application_id = models.UUIDField(primary_key=True)

    def __str__(self) -> str:
        """For messages and the shell."""
        return str(self.application_id)


class LastUse(models.Model):
    """When a credential or an application last got a token, kept where the sign-in itself is purged.

    subject_id: of the credential or the application; they are never alike. A sign-in that is still in the log
    is newer than what stands here.
    """

    subject_id = models.UUIDField(primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"{self.subject_id} at {self.at}"
