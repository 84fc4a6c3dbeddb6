"""Checks that the audit is as it was written."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from credmgr.audit.chain import INSTALLATION
from credmgr.audit.chain_verification import (
    ChainReport,
    Finding,
    Verification,
    compare_heads,
    verify_audit,
)
from credmgr.audit.sign_in_verification import verify_sign_ins
from credmgr.registrations.models import Tenant
from credmgr.vault.errors import VaultError


class Command(BaseCommand):
    """verify_audit [--heads FILE] [--json]; exit code 1 when something does not hold."""

    help = (
        "Check every audit entry against the one before it and each chain against its end. Says which entry "
        "was changed, removed, added or moved. May run while the server does."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """For scripts."""
        parser.add_argument(
            "--heads", metavar="FILE", help='compare with the lines "Audit head." of this log file too'
        )
        parser.add_argument("--json", action="store_true", help="answer with one JSON document")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Raises CommandError (exit code 1) when something was found."""
        try:
            found = verify_audit()
            sign_ins = verify_sign_ins()
            heads, wrong_heads = _heads(options["heads"])
        except VaultError as error:
            raise CommandError(str(error)) from None
        found.findings += [*sign_ins.findings, *wrong_heads]
        names = {tenant.pk: tenant.name for tenant in Tenant.objects.all()} | {INSTALLATION: "Installation"}
        described = [
            _described(chain, names.get(chain.chain, "A deleted directory")) for chain in found.chains
        ]
        if options["json"]:
            general = [asdict(each) for each in found.findings]
            answer = {"intact": found.is_intact, "chains": described, "findings": general, "heads": heads}
            answer["signIns"] = {name: getattr(sign_ins, name) for name in ("entries", "checked", "purged")}
            self.stdout.write(json.dumps(answer, indent=2))
        else:
            said = _sentences(found, described)
            if sign_ins.entries:
                gone = f", {sign_ins.purged:,} of purged hours" if sign_ins.purged else ""
                said.insert(len(described), f"Sign-ins: {sign_ins.checked:,} hashes compared{gone}")
            if options["heads"]:
                said.insert(len(described), f"Heads in the log: {heads:,} compared")
            self.stdout.write("\n".join(said))
        if not found.is_intact:
            raise CommandError("The audit is not as it was written.")


def _heads(file: str | None) -> tuple[int, list[Finding]]:
    if not file:
        return 0, []
    try:
        with Path(file).open(encoding="utf-8", errors="replace") as lines:
            return compare_heads(lines)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from None


def _described(chain: ChainReport, name: str) -> dict[str, Any]:
    return {
        "chain": str(chain.chain),
        "name": name,
        "entries": chain.length,
        "head": chain.head,
        "checked": chain.checked,
        "findings": [asdict(each) for each in chain.findings],
        "findingsLeftOut": chain.left_out,
    }


def _sentences(found: Verification, described: list[dict[str, Any]]) -> list[str]:
    lines = []
    for chain in described:
        lines.append(f"{chain['name']}: {chain['entries']:,} entries, head {chain['head'][:16]}")
        lines += [f"    {each['text']}" for each in chain["findings"]]
        if chain["findingsLeftOut"]:
            lines.append(f"    and {chain['findingsLeftOut']:,} more")
    lines += [each.text for each in found.findings]
    if found.is_intact:
        lines.append("The audit is as it was written.")
    return lines
