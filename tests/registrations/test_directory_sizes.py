"""The number of registrations that is kept beside a directory is their number, whatever happens to them."""

import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from credmgr.registrations.deleting import delete_application, purge_application, restore_application
from credmgr.registrations.directory_sizes import live_registrations
from credmgr.registrations.models import Application, DirectorySize, Tenant
from tests.factories import COMMAND, NOW, application

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def other_directory() -> Tenant:
    found, _ = Tenant.objects.get_or_create(name="Other", defaults={"created_at": NOW})
    return found


def rows(number: int) -> list[Application]:
    return [
        Application(
            tenant=other_directory(),
            display_name=f"Service {each}",
            created_at=NOW,
            deleted_at=NOW if each % 3 == 0 else None,
        )
        for each in range(number)
    ]


def one(*, deleted: bool) -> Application:
    return Application.objects.filter(deleted_at__isnull=not deleted).order_by("?").first() or application()


def by_hand(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def purge() -> None:
    if app := Application.objects.filter(deleted_at__isnull=False).first():
        purge_application(app, actor=COMMAND, now=NOW)


def restore() -> None:
    if app := Application.objects.filter(deleted_at__isnull=False).first():
        restore_application(app, actor=COMMAND, now=NOW)


def undone() -> None:
    with transaction.atomic():
        application("never there")
        transaction.set_rollback(True)


ACTS: dict[str, Callable[[], object]] = {
    "registered": application,
    "deleted": lambda: delete_application(one(deleted=False), actor=COMMAND, now=NOW),
    "restored": restore,
    "purged": purge,
    "saved": lambda: one(deleted=False).save(),
    "in bulk": lambda: Application.objects.bulk_create(rows(7)),
    "deleted in bulk": lambda: Application.objects.filter(tenant=other_directory()).delete(),
    "all marked as deleted": lambda: Application.objects.update(deleted_at=NOW - timedelta(days=1)),
    "moved": lambda: Application.objects.filter(pk=one(deleted=False).pk).update(tenant=other_directory()),
    "by hand": lambda: by_hand("UPDATE registrations_application SET deleted_at = NULL"),
    "undone": undone,
}


def assert_true() -> None:
    counted = {
        tenant.pk: Application.objects.filter(tenant=tenant, deleted_at=None).count()
        for tenant in Tenant.objects.all()
    }
    assert live_registrations(list(counted)) == counted


@pytest.mark.parametrize("name", ACTS)
def test_each_act_is_counted(name: str) -> None:
    application("one")
    delete_application(application("two"), actor=COMMAND, now=NOW)
    Application.objects.bulk_create(rows(5))
    ACTS[name]()
    assert_true()


def test_acts_in_any_order_are_counted() -> None:
    order = random.Random(20261201)  # noqa: S311 - the same acts each time
    for _ in range(60):
        ACTS[order.choice(list(ACTS))]()
        assert_true()


def test_a_directory_takes_its_number_along() -> None:
    Application.objects.bulk_create(rows(3))
    Application.objects.filter(tenant=other_directory()).delete()
    other_directory().delete()
    assert (
        DirectorySize.objects.count() == Tenant.objects.filter(applications__isnull=False).distinct().count()
    )


def test_a_migration_counts_again() -> None:
    app = application()
    DirectorySize.objects.update(live=77)
    call_command("migrate", verbosity=0)
    assert live_registrations([app.tenant_id]) == {app.tenant_id: 1}
    assert_true()
