"""The second factor at sign-in: a code is judged, used up and put on record in one transaction."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from credmgr.accounts.models import User
from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.factors import secrets, totp
from credmgr.factors.changing import normal
from credmgr.factors.models import APP, RECOVERY_CODES, id_of
from credmgr.factors.queries import factors_of
from credmgr.vault.errors import SealError

RECOVERY = "Recovery code"


@sensitive_variables("typed", "code")
def prove_code(user: User, typed: str, *, actor: Actor, now: datetime) -> bool:
    """Whether it is a code of the person's app, or one of their recovery codes, that was not used before.

    actor: the person, whose password was right. Raises SealError for a row that names another's secret.
    """
    code = normal(typed)
    with transaction.atomic():
        # One attempt of a person at a time: a code works once, also for two who send it together.
        User.objects.select_for_update().get(pk=user.pk)
        used = _use_app(user, code, now) or _use_recovery_code(user, code, now)
        record_proof(user, used, actor, now)
    return bool(used)


def _use_app(user: User, code: str, now: datetime) -> str:
    row = Authenticator.objects.filter(user=user, type=APP).first()
    if row is None or len(code) != totp.DIGITS:
        return ""
    _require_own(row, "secret", APP)
    period = totp.period_of(
        secrets.read(user, APP) or "", code, now=now, after=row.data.get("last_period", 0)
    )
    if period is None:
        return ""
    row.data["last_period"] = period
    row.last_used_at = now
    row.save(update_fields=["data", "last_used_at"])
    return "Authenticator app"


def _use_recovery_code(user: User, code: str, now: datetime) -> str:
    row = Authenticator.objects.filter(user=user, type=RECOVERY_CODES).first()
    if row is None or len(code) <= totp.DIGITS:
        return ""
    _require_own(row, "seed", RECOVERY_CODES)
    codes = RecoveryCodes(row)
    if not codes.validate_code(code):
        return ""
    Authenticator.objects.filter(pk=row.pk).update(last_used_at=now)
    return RECOVERY


def _require_own(row: Authenticator, name: str, kind: str) -> None:
    """The row must name the secret of its own person: whoever writes to the table gains nothing."""
    if row.data.get(name) != str(id_of(row.user_id, kind)):
        raise SealError


def record_proof(user: User, used: str, actor: Actor, now: datetime) -> None:
    """What was given at sign-in, or that nothing fitted. In the caller's transaction."""
    changes = {"secondFactor": ["", used]} if used else {}
    if used == RECOVERY:
        changes["codesLeft"] = ["", str(factors_of(user).codes_left)]
    record_event(
        EventTag.SECOND_FACTOR_USED if used else EventTag.SECOND_FACTOR_REFUSED,
        actor=actor,
        now=now,
        object_type="user",
        object_id=user.pk,
        object_name=user.username,
        changes=changes,
        succeeded=bool(used),
    )
