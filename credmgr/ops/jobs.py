"""What the server does by itself, and how often. A further job is a further line here."""

from datetime import datetime, timedelta

from credmgr.accounts import sessions, setup_links, throttling
from credmgr.audit.chain import log_heads
from credmgr.audit.entry_retention import delete_old_entries, keep_from
from credmgr.audit.recording import Actor
from credmgr.audit.retention import purge_before, purge_sign_ins
from credmgr.audit.sign_in_seals import seal_closed_hours
from credmgr.audit.sign_in_sums import mend_sums, sum_new_sign_ins
from credmgr.authority import key_rolling, used_assertions
from credmgr.credentials.stored_status import bring_all_up_to_date
from credmgr.flowtest import limits
from credmgr.flowtest.retention import purge_old_runs
from credmgr.membership import invitations
from credmgr.ops.lost_triggers import restore_lost_triggers
from credmgr.ops.maintenance import Job
from credmgr.ops.snapshots import take_snapshot
from credmgr.registrations.deleting import purge_overdue

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def _purge_sign_ins(actor: Actor, now: datetime) -> int:
    before = purge_before(now)
    return purge_sign_ins(before, actor=actor, now=now).deleted if before is not None else 0


def _delete_audit_entries(actor: Actor, now: datetime) -> int:
    before = keep_from(now)
    return delete_old_entries(before, actor=actor, now=now) if before is not None else 0


def _roll_signing_key(actor: Actor, now: datetime) -> int:
    return int(key_rolling.roll_if_due(actor=actor, now=now) is not None)


def _forget_links(_: Actor, now: datetime) -> int:
    return setup_links.forget_old(now) + invitations.forget_old(now)


def _restore_triggers(actor: Actor, now: datetime) -> int:
    return restore_lost_triggers(actor=actor, now=now)


JOBS = (
    # Before the jobs that lean on them.
    Job("lost-triggers", timedelta(minutes=5), _restore_triggers, in_steps=True),
    Job("credential-statuses", timedelta(minutes=5), lambda _, now: bring_all_up_to_date(now), in_steps=True),
    Job("sign-in-sums", timedelta(minutes=1), lambda _actor, _now: sum_new_sign_ins(), in_steps=True),
    Job("metrics", timedelta(minutes=5), take_snapshot, in_steps=True),
    Job("signing-key", HOUR, _roll_signing_key, in_steps=True),
    Job("retired-signing-keys", DAY, lambda actor, now: key_rolling.forget_retired(actor=actor, now=now)),
    Job("ended-sessions", HOUR, lambda _, now: sessions.forget_expired(now)),
    Job("throttle-counters", HOUR, lambda _, now: throttling.forget_stale(now)),
    Job("used-assertions", HOUR, lambda _, now: used_assertions.forget_ended(now)),
    Job("places-of-tests", HOUR, lambda _, now: limits.forget_abandoned(now)),
    Job("one-time-links", DAY, _forget_links),
    Job("deleted-registrations", HOUR, lambda actor, now: purge_overdue(now, actor), in_steps=True),
    Job("audit-sign-ins", HOUR, lambda actor, now: seal_closed_hours(actor=actor, now=now), in_steps=True),
    Job("audit-entries", DAY, _delete_audit_entries, in_steps=True),
    Job("audit-heads", HOUR, lambda _actor, _now: log_heads()),
    Job("test-runs", DAY, purge_old_runs, in_steps=True),
    Job("sign-in-sums-check", DAY, lambda _actor, _now: mend_sums(), in_steps=True),
    # The longest comes last.
    Job("sign-ins", timedelta(hours=12), _purge_sign_ins, in_steps=True),
)
