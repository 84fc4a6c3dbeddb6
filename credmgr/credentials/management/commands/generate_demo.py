"""Fills a directory of its own with invented rows in bulk."""

from dataclasses import asdict, replace
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from credmgr.audit.recording import Actor
from credmgr.credentials.demo_scale import SCALE, SMALL, generate_demo
from credmgr.registrations.act_command import ActCommand
from credmgr.registrations.queries import find_directory

# One option each: field of Amounts, what it counts.
_OPTIONS = {
    "registrations": "registrations",
    "credentials": "secrets, certificates and federated credentials",
    "sign_ins": "rows of the sign-in log",
    "audit_rows": "rows of the audit log",
}
_MOST = 100_000_000


class Command(ActCommand):
    """generate_demo [--scale] [--registrations N] ... [--directory DIRECTORY] [--beside-real-ones]."""

    help = (
        "Fill a new directory with invented registrations, credentials, sign-ins and audit entries in bulk: "
        f"{SMALL.registrations} registrations, or {SCALE.registrations:,} with --scale. Made to see how the "
        "program behaves when it has grown; not for an installation with real data."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """How many of what, and where."""
        super().add_arguments(parser)
        parser.add_argument("--scale", action="store_true", help="as many as a large company has")
        for name, what in _OPTIONS.items():
            small, scale = getattr(SMALL, name), getattr(SCALE, name)
            parser.add_argument(
                f"--{name.replace('_', '-')}",
                type=int,
                metavar="N",
                help=f"how many {what} (default: {small:,}; with --scale {scale:,})",
            )
        parser.add_argument("--directory", default="", help="ID or domain of a directory to fill instead")
        parser.add_argument(
            "--beside-real-ones",
            action="store_true",
            help="also where there are registrations that are no demo; audit entries stay for ever",
        )

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """Generate."""
        given = {name: options[name] for name in _OPTIONS if options[name] is not None}
        if not all(0 <= number <= _MOST for number in given.values()):
            raise CommandError(f"A number of rows is between 0 and {_MOST:,}. Nothing was changed.")
        amounts = replace(SCALE if options["scale"] else SMALL, **given)
        if amounts.credentials and not amounts.registrations:
            raise CommandError("Credentials need at least one registration. Nothing was changed.")
        tenant = generate_demo(
            amounts,
            directory=find_directory(options["directory"]) if options["directory"] else None,
            beside_real_ones=options["beside_real_ones"],
            progress=self._progress,
            actor=Actor.command(),
            now=timezone.now(),
        )
        return {"directoryId": str(tenant.pk), "directory": tenant.name, **asdict(amounts)}

    def say(self, answer: Any) -> str:
        """What is where."""
        counts = ", ".join(f"{answer[name]:,} {what}" for name, what in _OPTIONS.items())
        return f"Filled the directory {answer['directory']} ({answer['directoryId']}): {counts}."

    def _progress(self, what: str, done: int, of: int) -> None:
        """One line for each twentieth, on standard error so that --json stays whole."""
        step = max(1, of // 20)
        if done >= of or done % step < min(done, 1_000 if what == "registrations" else 10_000):
            self.stderr.write(f"{what}: {done:,} of {of:,}")
