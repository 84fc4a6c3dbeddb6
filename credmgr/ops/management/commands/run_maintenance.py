"""Does the scheduled work that is due."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from credmgr.audit.recording import Actor
from credmgr.credentials.lifecycle import counted
from credmgr.ops.jobs import JOBS
from credmgr.ops.maintenance import Outcome, due, due_at, run_due
from credmgr.ops.models import MaintenanceRun
from credmgr.registrations.act_command import ActCommand, iso


class Command(ActCommand):
    """run_maintenance [--all | --job NAME ... | --list] [--json]."""

    help = (
        "Do the scheduled work that is due: purges, expiries, the next signing key. `serve` does the same by "
        "itself; this is for servers that seldom run. It may be killed, repeated, and started twice at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What to run."""
        super().add_arguments(parser)
        names = [job.name for job in JOBS]
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--all", action="store_true", help="run every job, due or not")
        which.add_argument(
            "--job", action="append", choices=names, metavar="NAME", help="run this one now; repeatable"
        )
        which.add_argument(
            "--list", action="store_true", help="say what there is and how it went; run nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError (exit code 1) when a job failed; the others have run then."""
        self._failed: list[Outcome] = []
        self._listing: bool = options["list"]
        super().handle(*args, **options)
        if self._failed:
            words = ", ".join(f"{each.name} ({each.problem})" for each in self._failed)
            raise CommandError(f"{counted(len(self._failed), 'job')} failed: {words}. The log says more.")

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """Run them. Raises CommandError where the data folder cannot be written."""
        now = timezone.now()
        outcomes: list[Outcome] | None = []
        if not options["list"]:
            try:
                outcomes = run_due(
                    JOBS,
                    actor=Actor.command(),
                    now=now,
                    names=options["job"] or (),
                    everything=options["all"],
                )
            except OSError as error:
                raise CommandError(
                    f"The data folder cannot be written: {error.strerror}. Nothing was run."
                ) from None
        self._failed = [each for each in outcomes or [] if each.problem]
        ran = {each.name: each for each in outcomes or []}
        last = {run.name: run for run in MaintenanceRun.objects.all()}
        waiting = {job.name for job in due(JOBS, timezone.now())}
        return {
            "busyElsewhere": outcomes is None,
            "jobs": [
                {
                    "name": job.name,
                    "everySeconds": int(job.every.total_seconds()),
                    "ranNow": job.name in ran,
                    "lastStarted": iso(last[job.name].started_at) if job.name in last else None,
                    "outcome": _outcome(last.get(job.name)),
                    "handled": last[job.name].handled if job.name in last else 0,
                    "nextDue": "now" if job.name in waiting else iso(due_at(job, last.get(job.name))),
                }
                for job in JOBS
            ],
        }

    def say(self, answer: Any) -> str:
        """A line a job."""
        if answer["busyElsewhere"]:
            return "Another process is doing the scheduled work. Nothing was started."
        shown = [each for each in answer["jobs"] if each["ranNow"] or self._listing]
        width = max((len(each["name"]) for each in shown), default=0)
        return (
            "\n".join(_line(each, width) for each in shown) or "Nothing is due. --list says what comes when."
        )


def _outcome(run: MaintenanceRun | None) -> str | None:
    if run is None:
        return None
    if run.finished_at is None:
        return "not finished"
    return f"failed: {run.problem}" if run.has_failed else "done"


def _line(job: dict[str, Any], width: int) -> str:
    state = f"{job['outcome']}, {job['handled']:,} handled" if job["outcome"] else "never ran"
    return f"{job['name']:<{width}}  {state}; last {job['lastStarted'] or '-'}, next {job['nextDue']}"
