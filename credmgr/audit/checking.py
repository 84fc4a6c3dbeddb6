"""The check of the chains that a page offers, and what is remembered of it."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from credmgr.audit.chain import INSTALLATION
from credmgr.audit.chain_verification import ChainReport, verify_chain
from credmgr.audit.events import EventTag
from credmgr.audit.guards import GUARDS
from credmgr.audit.models import AuditCheck
from credmgr.audit.recording import Actor, record_event

# A second or two; the command looks at everything.
CHECKED_AT_ONCE = 50_000
_FINDINGS_KEPT = 5


def check_chains(tenant_id: uuid.UUID, *, actor: Actor, now: datetime) -> list[AuditCheck]:
    """Check the chain of a directory and that of the installation, at most CHECKED_AT_ONCE of the newest
    entries of each, and remember what came of it. Raises KeyRingError where no key ring can be used.
    """
    reports = [verify_chain(each, CHECKED_AT_ONCE) for each in (tenant_id, INSTALLATION)]
    lost = [f"The trigger {name} is missing." for name in GUARDS.missing(connection)]
    made = [_check(report, lost, actor, now) for report in reports if report is not None]
    with transaction.atomic():
        for check in made:
            check.save()
        _record(made, tenant_id, actor, now)
    return made


def last_checks(tenant_id: uuid.UUID) -> list[AuditCheck]:
    """What came of the last ones, the directory's first."""
    found = AuditCheck.objects.in_bulk([tenant_id, INSTALLATION])
    return [found[each] for each in (tenant_id, INSTALLATION) if each in found]


def _check(report: ChainReport, lost: Sequence[str], actor: Actor, now: datetime) -> AuditCheck:
    said = [*lost, *(finding.text for finding in report.findings)]
    return AuditCheck(
        chain=report.chain,
        at=now,
        by=actor.name,
        entries=report.length,
        first=report.first,
        findings=said[:_FINDINGS_KEPT],
        more=max(len(said) - _FINDINGS_KEPT, 0) + report.left_out,
    )


def _record(checks: Sequence[AuditCheck], tenant_id: uuid.UUID, actor: Actor, now: datetime) -> None:
    record_event(
        EventTag.AUDIT_VERIFIED,
        actor=actor,
        now=now,
        tenant_id=tenant_id,
        object_type="audit",
        object_id=tenant_id,
        object_name="Audit log",
        changes={
            "entries": sum(check.entries - check.first + 1 for check in checks),
            "findings": sum(len(check.findings) + check.more for check in checks),
        },
        succeeded=all(check.is_intact for check in checks),
    )
