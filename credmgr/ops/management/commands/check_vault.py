"""Opens everything that is sealed and says whether it can be opened."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from credmgr.vault.errors import KeyRingError
from credmgr.vault.examination import ColumnResult, examine
from credmgr.vault.inventory import Use, take_inventory
from credmgr.vault.keyring import KeyRing
from credmgr.vault.rotation import Progress
from credmgr.vault.source import load_key_ring


class Command(BaseCommand):
    """Shows which keys are in use where. Changes nothing."""

    help = "Open every sealed value and check every keyed digest; list the keys in use. Changes nothing."
    requires_system_checks = []  # it is the tool for when they fail

    def add_arguments(self, parser: CommandParser) -> None:
        """How to answer."""
        parser.add_argument("--json", action="store_true", help="answer as one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Raises CommandError (exit code 1) when anything cannot be opened."""
        try:
            ring = load_key_ring()
        except KeyRingError as error:
            raise CommandError(str(error)) from None
        results, uses = examine(ring, report_progress=self._show), take_inventory()
        if options["json"]:
            self.stdout.write(json.dumps(_described(ring, results, uses)))
        else:
            self.stdout.write("\n".join(_sentences(ring, results, uses)))
        bad = sum(len(result.bad) for result in results)
        if bad:
            raise CommandError(
                f"{bad} of {bad + sum(each.good for each in results)} values are not as they must be."
            )

    def _show(self, progress: Progress) -> None:
        self.stderr.write(f"{progress.table}: {progress.done:,} of {progress.total:,} values")


def _described(ring: KeyRing, results: list[ColumnResult], uses: list[Use]) -> dict[str, Any]:
    return {
        "keys": [
            {"keyId": key_id.hex(), "seals": not number} for number, key_id in enumerate(ring.key_ids())
        ],
        "uses": [
            {"keyId": use.key_id.hex(), "table": use.table, "column": use.column, "rows": use.rows}
            for use in uses
        ],
        "columns": [
            {
                "table": result.table,
                "column": result.column,
                "good": result.good,
                "bad": [{"row": str(each.row), "reason": each.reason} for each in result.bad],
            }
            for result in results
        ],
    }


def _sentences(ring: KeyRing, results: list[ColumnResult], uses: list[Use]) -> list[str]:
    known = ring.key_ids()
    lines = ["Keys:"]
    for number, key_id in enumerate(known):
        rows = sum(use.rows for use in uses if use.key_id == key_id)
        lines.append(
            f"  {key_id.hex()}  {'seals and opens' if not number else 'opens'}, named by {rows:,} values"
        )
    for key_id in sorted({use.key_id for use in uses} - set(known)):
        rows = sum(use.rows for use in uses if use.key_id == key_id)
        lines.append(f"  {key_id.hex()}  MISSING from the key ring, named by {rows:,} values")
    lines.append("Values:")
    for result in results:
        lines.append(f"  {result.table}.{result.column}: {result.good:,} good, {len(result.bad):,} bad")
        lines += [f"    row {each.row}: {each.reason}" for each in result.bad]
    return lines
