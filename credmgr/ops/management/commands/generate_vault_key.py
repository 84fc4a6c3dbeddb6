"""Makes a key for the vault's key ring."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.vault.errors import KeyRingError
from credmgr.vault.keyring import parse_key_ring
from credmgr.vault.ring_file import add_key, new_key_line
from credmgr.vault.source import key_ring_file, source_name


class Command(BaseCommand):
    """Without a switch the key is printed, for a key ring that is kept elsewhere."""

    help = "Make a vault key: print it, or add it to the key ring's file. Back the file up afterwards."
    requires_system_checks = []  # it is needed while the key ring is not in order yet

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to put it."""
        place = parser.add_mutually_exclusive_group()
        place.add_argument(
            "--append", action="store_true", help="add it to the ring file as the last key, which opens only"
        )
        place.add_argument(
            "--first",
            action="store_true",
            help="add it to the ring file as the first key, which seals everything from now on",
        )
        parser.add_argument("--json", action="store_true", help="answer as one JSON object")

    @sensitive_variables("line", "answer", "sentence")
    def handle(self, *_args: Any, **options: Any) -> None:
        """Raises CommandError when there is no file to add to, or it cannot be changed."""
        try:
            line = new_key_line()
            key_id = parse_key_ring(line).primary.key_id.hex()
            if options["append"] or options["first"]:
                answer, sentence = self._add(line, key_id, first=options["first"])
            else:
                answer, sentence = {"keyId": key_id, "key": line}, line
        except KeyRingError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(json.dumps(answer) if options["json"] else sentence)

    @sensitive_variables("line")
    def _add(self, line: str, key_id: str, *, first: bool) -> tuple[dict[str, object], str]:
        file = key_ring_file()
        if file is None:
            raise CommandError(
                f"The key ring comes from {source_name()}. Add the key there; without --append and --first "
                "this command prints one."
            )
        try:
            with transaction.atomic():
                # The row first: without it no key is added (D-3).
                record_event(
                    EventTag.VAULT_KEY_ADDED,
                    actor=Actor.command(),
                    now=timezone.now(),
                    object_type="vault key",
                    object_id=key_id,
                    object_name=key_id,
                    changes={"seals": [False, first]},
                )
                add_key(file, line, first=first)
        except DatabaseError as error:
            raise CommandError(f"No key was added, because the audit cannot be written: {error}.") from None
        next_step = (
            "It seals everything from now on; `manage.py rotate_vault_key` seals what is stored anew."
            if first
            else f"It opens only; `manage.py rotate_vault_key --first {key_id}` puts it in charge."
        )
        sentence = f"Key {key_id} was added to {file}. {next_step} Back the file up, apart from the database."
        return {"keyId": key_id, "file": str(file), "first": first}, sentence
