"""Deletes old sign-ins."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from credmgr.audit.recording import Actor
from credmgr.audit.retention import count_sign_ins, purge_before, purge_sign_ins
from credmgr.credentials.lifecycle import counted
from credmgr.registrations.act_command import ActCommand, iso

_MOST_DAYS = 36500


class Command(ActCommand):
    """purge_sign_ins [--older-than DAYS] [--dry-run] [--json]."""

    help = (
        "Delete sign-ins older than CREDMGR_SIGN_IN_DAYS, in small steps while the server runs. `serve` does "
        "the same twice a day. It may be stopped, repeated, and run twice at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Another age than the setting's, and a way to look first."""
        super().add_arguments(parser)
        parser.add_argument(
            "--older-than", type=int, metavar="DAYS", help="delete those older than this instead"
        )
        parser.add_argument("--dry-run", action="store_true", help="say how many would go, delete none")

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """Purge, or count. Raises CommandError for an age that makes no sense."""
        days = options["older_than"]
        if days is not None and not 1 <= days <= _MOST_DAYS:
            raise CommandError(f"--older-than must be a number of days between 1 and {_MOST_DAYS:,}.")
        now = timezone.now()
        before = purge_before(now, days)
        if before is None:
            return {"before": None, "found": 0, "deleted": 0, "dryRun": options["dry_run"]}
        if options["dry_run"]:
            found, deleted = count_sign_ins(before), 0
        else:
            done = purge_sign_ins(before, actor=Actor.command(), now=now)
            found, deleted = done.found, done.deleted
        return {"before": iso(before), "found": found, "deleted": deleted, "dryRun": options["dry_run"]}

    def say(self, answer: Any) -> str:
        """How many went, or would go."""
        if answer["before"] is None:
            return (
                "CREDMGR_SIGN_IN_DAYS is 0: all sign-ins are kept. Nothing was deleted. "
                "Name an age with --older-than DAYS."
            )
        if answer["dryRun"]:
            return f"{counted(answer['found'], 'sign-in')} from before {answer['before']} would be deleted."
        return f"{counted(answer['deleted'], 'sign-in')} from before {answer['before']} deleted."
