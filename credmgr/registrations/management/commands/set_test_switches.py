"""Sets the switches of a test directory, for scripts that test other people's code."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from credmgr.audit.recording import Actor
from credmgr.registrations.act_command import ActCommand, add_directory_argument, directory_for
from credmgr.registrations.directory_rules import set_directory_testing, set_test_switches
from credmgr.registrations.queries import parse_guid
from credmgr.registrations.switches import Switches


class Command(ActCommand):
    """set_test_switches [--directory D] [--mark] [--code N] ... [--minutes M] [--json]."""

    help = (
        "Set all switches of a test directory at once: what is not named is off, so without any they are all "
        "off. They count with the next token request."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """One option for each switch."""
        super().add_arguments(parser)
        add_directory_argument(parser)
        parser.add_argument("--mark", action="store_true", help="mark it as a test directory first")
        parser.add_argument("--code", type=int, default=0, help="refuse every request with AADSTS<code>")
        parser.add_argument("--throttle-every", type=int, default=0, metavar="N", help="answer each Nth 429")
        parser.add_argument(
            "--retry-after", type=int, default=5, metavar="SECONDS", help="with it; default 5"
        )
        parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="answers wait")
        parser.add_argument("--lifetime", type=int, default=0, metavar="SECONDS", help="of tokens")
        parser.add_argument(
            "--clock-shift", type=int, default=0, metavar="SECONDS", help="ahead, or behind when negative"
        )
        parser.add_argument("--client", default="", metavar="ID", help="only for this client; default: all")
        parser.add_argument("--minutes", type=int, default=0, help="until everything is off by itself")

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """Set them. Raises RegistrationError."""
        actor, now = Actor.command(), timezone.now()
        client_id = parse_guid(options["client"]) if options["client"] else None
        if options["client"] and client_id is None:
            raise CommandError("--client takes an application (client) ID.")
        if not 0 <= options["minutes"] <= 60 * 24 * 366:
            raise CommandError("--minutes takes 0 to 527040, a year.")
        switches = Switches(
            code=options["code"],
            every=options["throttle_every"],
            retry_after=options["retry_after"] if options["throttle_every"] else 0,
            delay=options["delay"],
            lifetime=options["lifetime"],
            clock_shift=options["clock_shift"],
            client_id=client_id,
            until=now + timedelta(minutes=options["minutes"]) if options["minutes"] else None,
        )
        directory = directory_for(options["directory"])
        if options["mark"]:
            directory = set_directory_testing(
                directory, is_test=True, expected_version=directory.version, actor=actor, now=now
            )
        set_test_switches(
            directory, switches=switches, expected_version=directory.version, actor=actor, now=now
        )
        return {"directory": str(directory.pk), "name": directory.name, "switches": switches.stored()}

    def say(self, answer: Any) -> str:
        """What is on."""
        on = ", ".join(f"{name} {value}" for name, value in answer["switches"].items())
        return f"{answer['name']}: {on}." if on else f"{answer['name']}: all switches are off."
