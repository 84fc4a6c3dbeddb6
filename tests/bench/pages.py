"""How long the server works on the list of registrations, without network and browser."""

import statistics
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from credmgr.accounts.models import User
from credmgr.credentials.models import ClientSecret
from credmgr.registrations.models import Application
from credmgr.registrations.queries import default_tenant
from credmgr.vault.sealing import verifier_for
from tests.bench.printing import table
from tests.factories import administrator

SIZES, REQUESTS = (100, 10_000), 15


def list_page_part(now: datetime) -> None:
    """Measure and print."""
    table(
        ["list of registrations", "ms", "queries"],
        [
            [f"{size:,} of them", f"{milliseconds:.1f}", str(queries)]
            for size, milliseconds, queries in _list_page_times(SIZES, REQUESTS, now)
        ],
    )


def _list_page_times(
    sizes: tuple[int, ...], requests: int, now: datetime
) -> Iterator[tuple[int, float, int]]:
    """(registrations, median milliseconds of a page, its queries) for each size, growing."""
    user = administrator(User.objects.create(username="bench"))
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    for size in sizes:
        _fill(size, now)
        times = []
        for _ in range(requests):
            began = time.perf_counter()
            answer = client.get("/applications")
            times.append((time.perf_counter() - began) * 1000)
            if answer.status_code != 200:
                raise RuntimeError(f"The list page answered {answer.status_code}.")
        with CaptureQueriesContext(connection) as queries:
            client.get("/applications")
        yield size, statistics.median(times), len(queries)


def _fill(size: int, now: datetime) -> None:
    """Registrations up to this number, each with one secret that ends on another day."""
    tenant = default_tenant()
    missing = size - Application.objects.filter(tenant=tenant, deleted_at=None).count()
    made = [
        Application(tenant=tenant, display_name=f"Service {number:05}", created_at=now)
        for number in range(missing)
    ]
    Application.objects.bulk_create(made, batch_size=500)
    secrets = []
    for number, application in enumerate(made):
        end = now + timedelta(days=number % 700 - 30, hours=1)
        secret = ClientSecret(
            application=application,
            hint="abc",
            start_at=end - timedelta(days=180),
            end_at=end,
            created_at=now,
        )
        secret.verifier = verifier_for(secret.id, f"bench secret number {number}")
        secrets.append(secret)
    ClientSecret.objects.bulk_create(secrets, batch_size=500)
