"""Makes the next key that signs access tokens."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from credmgr.audit.recording import Actor
from credmgr.authority.signing_keys import roll_signing_key
from credmgr.registrations.act_command import ActCommand


class Command(ActCommand):
    """roll_signing_key [--emergency] [--json]."""

    help = (
        "Make a new signing key. It is published at once and signs an hour later, when every cached key set "
        "has it; older keys stay published for the life of their last token."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """--emergency is for a key that others may have."""
        super().add_arguments(parser)
        parser.add_argument(
            "--emergency",
            action="store_true",
            help="sign with the new key at once and withdraw the old ones: every token they signed stops "
            "being trusted as soon as its receiver fetches the keys again",
        )

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """Roll. Raises VaultError where the key cannot be sealed."""
        key = roll_signing_key(timezone.now(), actor=Actor.command(), emergency=options["emergency"])
        return {"kid": key.kid, "signsFrom": key.signs_from.isoformat()}

    def say(self, answer: Any) -> str:
        """The key's name and first use."""
        return f"Signing key {answer['kid']} is published. It signs from {answer['signsFrom']}."
