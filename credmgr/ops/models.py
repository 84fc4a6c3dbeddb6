"""What the server remembers of its own upkeep."""

from django.db import models


class MaintenanceRun(models.Model):
    """The last run of one job of scheduled work; see maintenance.

    finished_at null: it is under way, or whoever ran it was killed. problem: the kind of error, never its
    words, which may quote a row.
    """

    name = models.CharField(max_length=64, primary_key=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    has_failed = models.BooleanField(default=False)
    problem = models.CharField(max_length=100, blank=True)
    handled = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"{self.name} at {self.started_at}"


class MetricsSnapshot(models.Model):
    """Figures that take too long to count at each scrape; one row, see snapshots."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    taken_at = models.DateTimeField()
    figures = models.JSONField()

    def __str__(self) -> str:
        """For messages and the shell."""
        return f"figures of {self.taken_at}"
