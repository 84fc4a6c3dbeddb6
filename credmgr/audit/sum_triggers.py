"""Triggers that keep the sums of sign-ins true when a row goes or counts another request, whoever does it, on
both databases. A row that comes fires none: `sign_in_sums` adds it later.
"""

from credmgr.audit.models import HourOfSignIns, SignIn, SummedSignIns
from credmgr.triggers import Trigger, TriggerSet

_LOG, _HOURS, _MARK = (model._meta.db_table for model in (SignIn, HourOfSignIns, SummedSignIns))
_FUNCTION = "sign_in_sums_follow"
_LESS = "row_count = row_count - 1, request_count = request_count - OLD.count"
_MORE = "request_count = request_count + NEW.count - OLD.count"
# By name: when, and what happens to the sum.
_RULES = {"sign_in_gone": ("AFTER DELETE", _LESS), "sign_in_counted": ("AFTER UPDATE OF count", _MORE)}
_SQLITE_HOUR = "substr(OLD.at, 1, 13) || ':00:00'"
_SQLITE_SUMMED = f'OLD.sequence <= (SELECT MAX(seen) FROM "{_MARK}")'  # noqa: S608 - the model's own name
_POSTGRESQL_HOUR = "date_trunc('hour', OLD.at, 'UTC')"


def _change(what: str, hour: str) -> str:
    all_of_them = "'" + "0" * 32 + "'"  # the nil id, as both databases read it
    return (
        f'UPDATE "{_HOURS}" SET {what} '  # noqa: S608 - the model's own name
        f"WHERE tenant_id = OLD.tenant_id AND application_id IN ({all_of_them}, OLD.application_id) "
        f"AND hour = {hour} AND error_code = OLD.error_code"
    )


# The lock of all who change sums, shared by those who change one of one row and then commit.
_FOLLOW = (
    "DECLARE summed bigint; BEGIN IF TG_OP = 'DELETE' THEN "  # noqa: S608 - names of the models
    f'SELECT seen INTO summed FROM "{_MARK}" FOR NO KEY UPDATE; '
    f"IF OLD.sequence <= summed THEN {_change(_LESS, _POSTGRESQL_HOUR)}; END IF; ELSE "
    f'SELECT seen INTO summed FROM "{_MARK}" FOR SHARE; '
    f"IF OLD.sequence <= summed THEN {_change(_MORE, _POSTGRESQL_HOUR)}; END IF; END IF; RETURN NULL; END"
)
TRIGGERS = TriggerSet(
    sqlite={
        name: Trigger(_LOG, when, _change(what, _SQLITE_HOUR), _SQLITE_SUMMED)
        for name, (when, what) in _RULES.items()
    },
    postgresql={name: Trigger(_LOG, when, _FUNCTION) for name, (when, _) in _RULES.items()},
    functions={_FUNCTION: _FOLLOW},
    needs={_HOURS: (), _MARK: ()},
)
