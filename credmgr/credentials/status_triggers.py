"""Triggers that mark a registration's stored status as out of date when one of its credentials comes, goes or
gets other dates, whoever does it, on both databases. `stored_status` works it out again.
"""

from credmgr.credentials.models import Certificate, ClientSecret, FederatedCredential
from credmgr.registrations.models import LONG_AGO, Application
from credmgr.triggers import Trigger, TriggerSet

_APPLICATIONS = Application._meta.db_table
_DATES = "start_at, end_at, application_id"
_COLUMNS = {
    ClientSecret._meta.db_table: _DATES,
    Certificate._meta.db_table: _DATES,
    FederatedCredential._meta.db_table: "application_id",
}
_EVENTS = {
    "added": ("AFTER INSERT", ("NEW",)),
    "deleted": ("AFTER DELETE", ("OLD",)),
    "changed": ("AFTER UPDATE OF {columns}", ("OLD", "NEW")),
}
# As both databases read it; strftime writes no leading zeros of a year.
_PAST = LONG_AGO.replace(tzinfo=None).isoformat(" ")
_FUNCTION = "credential_status_outdated"


def _mark(which: str) -> str:
    return (
        f'UPDATE "{_APPLICATIONS}" '  # noqa: S608 - the model's own name
        f"SET credential_state_until = '{_PAST}' WHERE id = {which}.application_id"
    )


def _triggers(function: str = "") -> dict[str, Trigger]:
    """By name. function: what all of them call; without one each says what it does itself."""
    return {
        f"{table}_{event}": Trigger(
            table, when.format(columns=columns), function or "; ".join(_mark(row) for row in rows)
        )
        for table, columns in _COLUMNS.items()
        for event, (when, rows) in _EVENTS.items()
    }


TRIGGERS = TriggerSet(
    sqlite=_triggers(),
    postgresql=_triggers(_FUNCTION),
    functions={
        _FUNCTION: f"BEGIN IF TG_OP <> 'INSERT' THEN {_mark('OLD')}; END IF; "
        f"IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND NEW.application_id <> OLD.application_id) "
        f"THEN {_mark('NEW')}; END IF; RETURN NULL; END"
    },
    needs={_APPLICATIONS: ("credential_state_until",)},
)
