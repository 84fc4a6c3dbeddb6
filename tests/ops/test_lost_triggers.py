"""Triggers that are taken out of the database are told and made again, and nothing that they keep true stays
false.
"""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from credmgr.audit.models import AuditEvent, HourOfSignIns, SignIn
from credmgr.audit.sign_in_sums import sum_new_sign_ins
from credmgr.credentials.models import ClientSecret
from credmgr.credentials.queries import applications_page
from credmgr.credentials.stored_status import bring_all_up_to_date
from credmgr.ops.installation import SERVER
from credmgr.ops.lost_triggers import lost_triggers, restore_lost_triggers
from credmgr.registrations.directory_sizes import live_registrations
from credmgr.registrations.queries import default_tenant
from tests.audit.rows import sign_in
from tests.factories import application, secret

pytestmark = [pytest.mark.django_db, pytest.mark.database]

TRIGGERS = {
    **{
        f"credentials_{kind}_{event}": f"credentials_{kind}"
        for kind in ("clientsecret", "certificate", "federatedcredential")
        for event in ("added", "changed", "deleted")
    },
    "audit_refuse_update": "audit_auditevent",
    "audit_refuse_delete": "audit_auditevent",
    "audit_refuse_shorter": "audit_auditchain",
    "audit_refuse_end": "audit_auditchain",
    "sign_in_gone": "audit_signin",
    "sign_in_counted": "audit_signin",
    **{
        f"directory_size_{event}": "registrations_application"
        for event in ("added", "removed", "left", "joined")
    },
    **(
        {f"application_name_{event}": "registrations_application" for event in ("added", "changed", "gone")}
        if connection.vendor == "sqlite"
        else {}
    ),
}


def take_away(name: str) -> None:
    """As somebody does who may change the database's structure."""
    with connection.cursor() as cursor:
        on = f' ON "{TRIGGERS[name]}"' if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER {name}{on}")


def checked() -> str:
    """What `manage.py check` says on its error output."""
    said = StringIO()
    call_command("check", "--database", "default", stderr=said)
    return said.getvalue()


@pytest.mark.parametrize("name", TRIGGERS)
def test_every_trigger_that_is_taken_away_is_told_and_made_again(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert lost_triggers() == []
    take_away(name)
    assert lost_triggers() == [name]
    said = checked()
    assert "credmgr.W004" in said
    assert name in said
    assert restore_lost_triggers(actor=SERVER, now=timezone.now()) == 1
    assert lost_triggers() == []
    assert "credmgr.W004" not in checked()
    told = AuditEvent.objects.get(tag="installation:triggers:restored")
    assert (told.changes["madeAgain"], told.succeeded) == (["", name], False)
    assert "Triggers were missing" in caplog.text
    assert restore_lost_triggers(actor=SERVER, now=timezone.now()) == 0
    assert AuditEvent.objects.filter(tag=told.tag).count() == 1


def test_a_trigger_that_was_only_switched_off_counts_as_missing() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no such thing")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE credentials_clientsecret DISABLE TRIGGER credentials_clientsecret_added")
    assert lost_triggers() == ["credentials_clientsecret_added"]
    restore_lost_triggers(actor=SERVER, now=timezone.now())
    assert lost_triggers() == []


def test_a_status_is_right_again_after_its_triggers_were_away() -> None:
    now = timezone.now()
    app = application("Harbor")
    secret(app)

    def current() -> list[str]:
        page = applications_page(default_tenant(), user=None, now=now, status="current")
        return [row.application.display_name for row in page.rows]

    bring_all_up_to_date(now)
    assert current() == ["Harbor"]
    take_away("credentials_clientsecret_deleted")
    ClientSecret.objects.all().delete()
    assert current() == ["Harbor"]  # which is not so
    restore_lost_triggers(actor=SERVER, now=now)
    assert current() == []


def test_sums_are_right_again_after_their_triggers_were_away() -> None:
    now = timezone.now()
    for number in range(3):
        sign_in(now - timedelta(seconds=number))
    sum_new_sign_ins()
    take_away("sign_in_gone")
    SignIn.objects.order_by("sequence")[:1].get().delete()
    assert sum(HourOfSignIns.objects.values_list("row_count", flat=True)) == 3  # which is not so
    restore_lost_triggers(actor=SERVER, now=now)
    sum_new_sign_ins()
    assert sum(HourOfSignIns.objects.values_list("row_count", flat=True)) == 2


def test_the_number_of_registrations_is_counted_anew() -> None:
    take_away("directory_size_added")
    tenant = application().tenant
    assert live_registrations([tenant.pk]) == {tenant.pk: 0}
    restore_lost_triggers(actor=SERVER, now=timezone.now())
    assert live_registrations([tenant.pk]) == {tenant.pk: 1}
