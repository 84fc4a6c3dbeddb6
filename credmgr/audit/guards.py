"""Triggers that refuse to change or remove sealed audit rows, whoever asks, on both databases.

Whoever may change the database's structure can remove them: they stop slips and careless scripts. What gets
past them shows in `verify_audit`.
"""

from credmgr.audit.models import AuditChain, AuditEvent
from credmgr.triggers import Trigger, TriggerSet

_EVENTS = AuditEvent._meta.db_table
_CHAINS = AuditChain._meta.db_table
_SAYING = "audit rows are never changed or removed"
_FUNCTION = "audit_refuse"
# Retention moves a chain's beginning, under a new seal; rows before the beginning may go.
_BEGINNING = f'SELECT first_position FROM "{_CHAINS}" WHERE id = OLD.chain'  # noqa: S608 - the model's own name
_SEALED = "OLD.hash IS NOT NULL"
_KEPT = f"{_SEALED} AND OLD.position >= COALESCE(({_BEGINNING}), 0)"
_MOVED = (
    "NEW.length < OLD.length OR NEW.first_position < OLD.first_position "
    "OR (NEW.first_position > OLD.first_position AND NEW.start_seal {same} OLD.start_seal)"
)


def _guards(does: str, *, kept: str, same: str) -> dict[str, Trigger]:
    """By name. kept: which rows may not go; same: how the database says that two values are the same."""
    return {
        "audit_refuse_update": Trigger(_EVENTS, "BEFORE UPDATE", does, _SEALED),
        "audit_refuse_delete": Trigger(_EVENTS, "BEFORE DELETE", does, kept),
        "audit_refuse_shorter": Trigger(_CHAINS, "BEFORE UPDATE", does, _MOVED.format(same=same)),
        "audit_refuse_end": Trigger(_CHAINS, "BEFORE DELETE", does),
    }


GUARDS = TriggerSet(
    sqlite=_guards(f"SELECT RAISE(ABORT, '{_SAYING}')", kept=_KEPT, same="IS"),
    postgresql={
        **_guards(_FUNCTION, kept=_SEALED, same="IS NOT DISTINCT FROM"),
        "audit_refuse_truncate": Trigger(_EVENTS, "BEFORE TRUNCATE", _FUNCTION, each="STATEMENT"),
    },
    functions={
        # In one function, so that the triggers need not know which of them this is about.
        _FUNCTION: f"BEGIN IF TG_NAME = 'audit_refuse_delete' THEN IF OLD.position < ({_BEGINNING}) THEN "
        "RETURN OLD; END IF; END IF; "
        f"RAISE EXCEPTION '{_SAYING}' USING ERRCODE = 'integrity_constraint_violation'; END"
    },
)
