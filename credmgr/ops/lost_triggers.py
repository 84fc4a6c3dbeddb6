"""Triggers that somebody took out of the database: they are made again, and what they would have done
meanwhile is done. It is told in the log and in the audit, because nobody does so by mistake.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from credmgr.audit import sum_triggers
from credmgr.audit.events import EventTag
from credmgr.audit.guards import GUARDS
from credmgr.audit.recording import Actor, record_event
from credmgr.audit.sign_in_sums import begin_anew
from credmgr.credentials import status_triggers
from credmgr.credentials.stored_status import mark_all_outdated
from credmgr.registrations import directory_sizes, name_parts
from credmgr.triggers import TriggerSet

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Kind:
    """Triggers of one purpose. catch_up: called after they are back, in the same transaction, so that no
    change falls between; some need none, because they are filled when they are made.
    """

    purpose: str
    triggers: TriggerSet
    catch_up: Callable[[], object] = lambda: None


_KINDS = (
    # What was done to the audit while they were away shows in its seals.
    _Kind("audit entries are never changed", GUARDS),
    _Kind("credential statuses follow credentials", status_triggers.TRIGGERS, mark_all_outdated),
    _Kind("the number of registrations is kept", directory_sizes.TRIGGERS),
    _Kind("names are found by their parts", name_parts.TRIGGERS),
    _Kind("sums follow the sign-in log", sum_triggers.TRIGGERS, begin_anew),
)


def lost_triggers() -> list[str]:
    """Names of those that are missing. Raises django.db.Error."""
    return [name for kind in _KINDS for name in kind.triggers.missing(connection)]


def restore_lost_triggers(*, actor: Actor, now: datetime) -> int:
    """Make again what is missing; how many there were. now: aware UTC. Raises django.db.Error."""
    return sum(_restore(kind, actor, now) for kind in _KINDS)


@transaction.atomic
def _restore(kind: _Kind, actor: Actor, now: datetime) -> int:
    lost = kind.triggers.missing(connection)
    if lost:
        kind.triggers.make(connection)
        kind.catch_up()
        record_event(
            EventTag.TRIGGERS_RESTORED,
            actor=actor,
            now=now,
            object_type="database",
            object_name=kind.purpose,
            changes={"madeAgain": ["", ", ".join(lost)]},
            succeeded=False,
        )
        logger.error("Triggers were missing in the database; they are made again.", extra={"triggers": lost})
    return len(lost)
