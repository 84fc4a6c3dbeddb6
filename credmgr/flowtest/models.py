"""The history of token tests."""

import uuid

from django.conf import settings
from django.db import models

from credmgr.registrations.models import Application


class FlowRun(models.Model):
    """One press of Test acquire token. report is the redacted outcome (flowtest.report), never a raw token.

    verdict: verified, acquired (a token that cannot be checked by its nature), refused, unverified (a token
    came but a check failed), unreachable, invalid (not sent). place_id: the registration whose authority and
    client id were used, None for the application's own. error: the OAuth error of a refusal.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="flow_runs")
    credential_id = models.UUIDField(null=True, db_index=True)
    credential_kind = models.CharField(max_length=16)
    credential_name = models.TextField(blank=True)
    place_id = models.UUIDField(null=True)
    target = models.CharField(max_length=255)
    scope = models.CharField(max_length=512, blank=True)
    verdict = models.CharField(max_length=16)
    error = models.CharField(max_length=64, blank=True)
    error_code = models.IntegerField(default=0)
    duration_ms = models.PositiveIntegerField()
    correlation_id = models.UUIDField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_name = models.TextField(blank=True)
    started_at = models.DateTimeField()
    report = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["application", "-started_at"], name="flow_run_history"),
            models.Index(fields=["started_at"], name="flow_run_by_age"),
        ]

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"{self.credential_name}: {self.verdict}"


class RunningTest(models.Model):
    """A place taken by a run under way. The constraint holds the limit per person in all processes."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    place = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "place"], name="one_test_per_place")]

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"place {self.place} since {self.started_at}"
