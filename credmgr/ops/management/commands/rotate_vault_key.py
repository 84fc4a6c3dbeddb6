"""Seals everything that is stored anew under the first key of the ring."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.vault.errors import VaultError
from credmgr.vault.ring_file import drop_keys, move_to_front
from credmgr.vault.rotation import BATCH_ROWS, Progress, Report, retire_expired_verifiers, rotate, unused_keys
from credmgr.vault.source import forget_key_ring, key_ring_file, load_key_ring, source_name


class Command(BaseCommand):
    """May be interrupted and repeated at any moment, while the server runs."""

    help = "Seal everything anew under the first key of the key ring. Safe to interrupt and to repeat."
    requires_system_checks = []  # a missing key is reported here in its place

    def add_arguments(self, parser: CommandParser) -> None:
        """What besides."""
        parser.add_argument(
            "--first", metavar="KEY_ID", help="move this key of the ring file to the front before"
        )
        parser.add_argument(
            "--drop-unused",
            action="store_true",
            help="afterwards remove the keys that nothing needs any more from the ring file",
        )
        parser.add_argument("--batch", type=int, default=BATCH_ROWS, help="rows per transaction")
        parser.add_argument("--json", action="store_true", help="answer as one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Raises CommandError (exit code 1) when a value could not be opened; the others are done then."""
        if options["batch"] < 1:
            raise CommandError("--batch must be at least 1.")
        try:
            if options["first"]:
                self._put_in_charge(options["first"])
            report, dropped, retired = self._run(options["batch"], drop=options["drop_unused"])
        except VaultError as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps(_described(report, dropped, retired)))
        else:
            self.stdout.write("\n".join(_sentences(report, dropped, retired)))
        if report.unreadable:
            raise CommandError(
                f"{len(report.unreadable)} values could not be opened and were left as they are. "
                "`manage.py check_vault` lists them."
            )

    def _run(self, batch_rows: int, *, drop: bool) -> tuple[Report, list[bytes], int]:
        ring = load_key_ring()
        _record(EventTag.VAULT_KEY_ROTATED, ring.primary.key_id, {"state": ["", "started"]})
        report = rotate(ring, report_progress=self._show, batch_rows=batch_rows)
        counts = {
            "state": ["started", "finished"],
            "resealed": [0, report.resealed],
            "verifiers": [0, report.verifiers_renewed],
            "unreadable": [0, len(report.unreadable)],
        }
        _record(EventTag.VAULT_KEY_ROTATED, ring.primary.key_id, counts)
        dropped, retired = self._drop() if drop else ([], 0)
        return report, dropped, retired

    def _drop(self) -> tuple[list[bytes], int]:
        file = key_ring_file()
        if file is None:
            raise CommandError(f"The key ring comes from {source_name()}. Remove the unused keys there.")
        ring = load_key_ring()
        # On SQLite nobody else writes while this transaction is open. A value that a worker sealed under the
        # old key before the first key changed has long been written by now: the rotation lies between.
        with transaction.atomic():
            retired = retire_expired_verifiers(ring, now=timezone.now())
            dropped = unused_keys(ring)
            for key_id in dropped:
                _record(EventTag.VAULT_KEY_DROPPED, key_id, {})
            if dropped:
                drop_keys(file, dropped)
        forget_key_ring()
        return dropped, retired

    def _put_in_charge(self, key_id: str) -> None:
        file = key_ring_file()
        if file is None:
            raise CommandError(f"The key ring comes from {source_name()}. Move the key to the front there.")
        try:
            wanted = bytes.fromhex(key_id)
        except ValueError:
            raise CommandError(
                "A key id is 16 hexadecimal digits, as `manage.py check_vault` shows it."
            ) from None
        move_to_front(file, wanted)
        forget_key_ring()

    def _show(self, progress: Progress) -> None:
        self.stderr.write(f"{progress.table}: {progress.done:,} of {progress.total:,} rows")


def _record(tag: EventTag, key_id: bytes, changes: dict[str, Any]) -> None:
    record_event(
        tag,
        actor=Actor.command(),
        now=timezone.now(),
        object_type="vault key",
        object_id=key_id.hex(),
        object_name=key_id.hex(),
        changes=changes,
    )


def _described(report: Report, dropped: list[bytes], retired: int) -> dict[str, Any]:
    return {
        "keyId": report.key_id.hex(),
        "resealed": report.resealed,
        "verifiersRenewed": report.verifiers_renewed,
        "changedMeanwhile": report.changed_meanwhile,
        "unreadable": [
            {"table": each.table, "column": each.column, "row": str(each.row), "reason": each.reason}
            for each in report.unreadable
        ],
        "left": [
            {"keyId": use.key_id.hex(), "table": use.table, "column": use.column, "rows": use.rows}
            for use in report.left
        ],
        "waiting": [
            {
                "keyId": each.key_id.hex(),
                "table": each.table,
                "rows": each.rows,
                "until": each.last_end.isoformat() if each.last_end else None,
            }
            for each in report.waiting
        ],
        "retiredVerifiers": retired,
        "dropped": [key_id.hex() for key_id in dropped],
    }


def _sentences(report: Report, dropped: list[bytes], retired: int) -> list[str]:
    lines = [
        f"Key {report.key_id.hex()} is in charge: {report.resealed:,} values sealed anew, "
        f"{report.verifiers_renewed:,} digests renewed."
    ]
    if report.changed_meanwhile:
        lines.append(f"{report.changed_meanwhile:,} values were changed or removed by others meanwhile.")
    for each in report.waiting:
        until = f"{each.last_end:%d %b %Y}" if each.last_end else "their deletion"
        lines.append(
            f"Key {each.key_id.hex()} is still needed by {each.rows:,} verify-only digests in {each.table}, "
            f"the last of which expires on {until}."
        )
    waiting = {(each.table, each.key_id) for each in report.waiting}
    for use in report.left:
        if (use.table, use.key_id) not in waiting:
            lines.append(
                f"Key {use.key_id.hex()} is still needed by {use.rows:,} rows in {use.table}.{use.column}."
            )
    if retired:
        lines.append(f"{retired:,} digests of expired verify-only secrets were retired.")
    for key_id in dropped:
        lines.append(
            f"Key {key_id.hex()} was dropped. Backups made before need it: keep it as long as you keep them."
        )
    return lines
