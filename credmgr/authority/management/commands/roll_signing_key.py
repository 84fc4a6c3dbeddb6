"""Makes the next key that signs access tokens."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from credmgr.audit.recording import Actor
from credmgr.authority.key_rolling import replace_signing_key, roll_signing_key
from credmgr.registrations.act_command import ActCommand


class Command(ActCommand):
    """roll_signing_key [--emergency [--keep-older]] [--json]."""

    help = (
        "Make a new signing key. It is published at once and signs an hour and five minutes later, when "
        "every cached key set has it; older keys stay published for the life of their last token."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """--emergency is for a key that others may have, with --keep-older for one that cannot be used."""
        super().add_arguments(parser)
        parser.add_argument(
            "--emergency",
            action="store_true",
            help="sign with the new key at once and withdraw the older ones: every token they signed stops "
            "being trusted as soon as its receiver fetches the keys again",
        )
        parser.add_argument(
            "--keep-older",
            action="store_true",
            help="with --emergency: leave the older keys published for the life of their last token",
        )

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """Roll. Raises SigningKeyError, and VaultError where the key cannot be sealed."""
        if options["keep_older"] and not options["emergency"]:
            raise CommandError("--keep-older goes with --emergency.")
        actor, now = Actor.command(), timezone.now()
        if options["emergency"]:
            key = replace_signing_key(withdraw_older=not options["keep_older"], actor=actor, now=now)
        else:
            key = roll_signing_key(actor=actor, now=now)
        return {"kid": key.kid, "signsFrom": key.signs_from.isoformat()}

    def say(self, answer: Any) -> str:
        """The key's name and first use."""
        return f"Signing key {answer['kid']} is published. It signs from {answer['signsFrom']}."
