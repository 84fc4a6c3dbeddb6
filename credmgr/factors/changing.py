"""The acts with which a person gets second factors, and loses them: one transaction each, with its audit row.

keep_session: the session key of the person's own browser; all other sessions of theirs end, because they
began without the factor, or with one that is gone. `now` is aware UTC.
"""

import secrets as random
from datetime import datetime, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from credmgr.accounts import sessions
from credmgr.accounts.models import User
from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.factors import secrets, totp
from credmgr.factors.errors import FactorError
from credmgr.factors.models import APP, PASSKEY, PENDING_APP, RECOVERY_CODES
from credmgr.factors.queries import Factor, factors_of

SETUP_VALID_FOR = timedelta(minutes=15)


def begin_app(user: User, *, now: datetime) -> str:
    """The secret for an authenticator app that is to be set up; it counts for nothing until it is confirmed.

    Raises FactorError where the person has an app.
    """
    with transaction.atomic():
        locked(user)
        _require_no_app(user)
        secret = totp.new_secret()
        secrets.keep(user, PENDING_APP, secret, now=now)
    return secret


def secret_being_set_up(user: User, *, now: datetime) -> str | None:
    """What begin_app gave, for 15 minutes."""
    return secrets.read_young(user, PENDING_APP, younger_than=SETUP_VALID_FOR, now=now)


@sensitive_variables("secret", "code")
def confirm_app(user: User, code: str, *, keep_session: str | None, actor: Actor, now: datetime) -> list[str]:
    """Ask for the app from the next sign-in on. Returns recovery codes where the person had none, once.

    Raises FactorError for a wrong code (field "code"), a set-up that was begun too long ago, an app that is
    there already.
    """
    with transaction.atomic():
        locked(user)
        _require_no_app(user)
        secret = secret_being_set_up(user, now=now)
        if secret is None:
            raise FactorError(
                "setup_over", "The set-up was begun more than 15 minutes ago, or elsewhere. Begin again."
            )
        period = totp.period_of(secret, normal(code), now=now)
        if period is None:
            raise FactorError(
                "wrong_code",
                "This is not the code that the app shows now. Check the time of the device, then enter the "
                "next one.",
                field="code",
            )
        secrets.forget(user, PENDING_APP)
        named = secrets.keep(user, APP, secret, now=now)
        Authenticator.objects.create(
            user=user, type=APP, data={"secret": named, "last_period": period}, created_at=now
        )
        added(user, "Authenticator app", keep_session, actor, now)
        return codes_for_the_first(user, actor=actor, now=now)


def codes_for_the_first(user: User, *, actor: Actor, now: datetime) -> list[str]:
    """Recovery codes with the first second factor; none where the person has some. Within a transaction."""
    if Authenticator.objects.filter(user=user, type=RECOVERY_CODES).exists():
        return []
    return make_recovery_codes(user, actor=actor, now=now)


def make_recovery_codes(user: User, *, actor: Actor, now: datetime) -> list[str]:
    """Ten codes that stand in for a lost factor, once each; earlier ones end. Readable only here.

    Raises FactorError without a second factor.
    """
    with transaction.atomic():
        locked(user)
        if not factors_of(user).is_on:
            raise FactorError("no_factor", "Recovery codes stand in for a second factor. Set one up first.")
        Authenticator.objects.filter(user=user, type=RECOVERY_CODES).delete()
        named = secrets.keep(user, RECOVERY_CODES, random.token_hex(40), now=now)
        row = Authenticator.objects.create(
            user=user, type=RECOVERY_CODES, data={"seed": named, "used_mask": 0}, created_at=now
        )
        _record(EventTag.RECOVERY_CODES_MADE, user, actor, now, {})
    codes: list[str] = RecoveryCodes(row).generate_codes()
    return [shown(code) for code in codes]


def remove_factor(
    user: User, factor_id: int, *, keep_session: str | None, actor: Actor, now: datetime
) -> Factor:
    """End one of the person's second factors; recovery codes go with the last. Raises FactorError."""
    with transaction.atomic():
        locked(user)
        before = factors_of(user)
        found = next((each for each in [before.app, *before.passkeys] if each and each.id == factor_id), None)
        if found is None:
            raise FactorError("factor_gone", "This second factor was removed meanwhile. Nothing was changed.")
        Authenticator.objects.filter(pk=found.id, user=user).delete()
        if found.kind == APP:
            secrets.forget(user, APP)
        if not factors_of(user).is_on:
            _forget_codes(user)
        ended = sessions.end_sessions(user, keep=keep_session)
        changes = {"secondFactor": [_words_of(found), ""], "endedSessions": [0, ended]}
        _record(EventTag.SECOND_FACTOR_REMOVED, user, actor, now, changes)
    return found


def remove_all_factors(user: User, *, actor: Actor, now: datetime) -> bool:
    """End all second factors of a person who lost them, and all their sessions. False where there was none.

    The caller says who may do that.
    """
    with transaction.atomic():
        locked(user)
        before = factors_of(user)
        if not before.is_on:
            return False
        Authenticator.objects.filter(user=user, type__in=(APP, PASSKEY)).delete()
        secrets.forget(user, APP, PENDING_APP)
        _forget_codes(user)
        ended = sessions.end_sessions(user)
        changes = {"secondFactors": [before.words, "none"], "endedSessions": [0, ended]}
        _record(EventTag.SECOND_FACTORS_REMOVED, user, actor, now, changes)
    return True


def locked(user: User) -> User:
    """One change of a person's factors at a time."""
    return User.objects.select_for_update().get(pk=user.pk)


def added(user: User, words: str, keep_session: str | None, actor: Actor, now: datetime) -> None:
    """The end of adding one: other sessions end, and it goes on record. In the caller's transaction."""
    ended = sessions.end_sessions(user, keep=keep_session)
    changes = {"secondFactor": ["", words], "endedSessions": [0, ended]}
    _record(EventTag.SECOND_FACTOR_ADDED, user, actor, now, changes)


def normal(code: str) -> str:
    """A typed code without what people put between its digits."""
    return "".join(sign for sign in code if sign not in " -\t\u00a0")


def shown(code: str) -> str:
    """A recovery code as people read it: "1234-5678-9012"."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def _require_no_app(user: User) -> None:
    if Authenticator.objects.filter(user=user, type=APP).exists():
        raise FactorError(
            "has_app", "You have an authenticator app already. Remove it before you set up another."
        )


def _forget_codes(user: User) -> None:
    Authenticator.objects.filter(user=user, type=RECOVERY_CODES).delete()
    secrets.forget(user, RECOVERY_CODES)


def _words_of(factor: Factor) -> str:
    return factor.name if factor.kind == APP else f"Passkey {factor.name}"


def _record(tag: EventTag, user: User, actor: Actor, now: datetime, changes: dict[str, Any]) -> None:
    record_event(
        tag,
        actor=actor,
        now=now,
        object_type="user",
        object_id=user.pk,
        object_name=user.username,
        changes=changes,
    )
