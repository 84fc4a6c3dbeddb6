"""`generate_demo`: in bulk, and yet rows like those that the acts write."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count
from django.utils import timezone

from credmgr.audit.chain_verification import verify_audit
from credmgr.audit.models import AuditEvent, SignIn
from credmgr.credentials.certificates import open_certificate
from credmgr.credentials.client_secrets import match_secret, open_value
from credmgr.credentials.demo_loading import remove_demo
from credmgr.credentials.lifecycle import end_of
from credmgr.credentials.models import Certificate, ClientSecret, FederatedCredential
from credmgr.credentials.x509 import parse_certificate
from credmgr.registrations.models import Application, Tenant
from tests.factories import COMMAND, application, person

pytestmark = pytest.mark.django_db
AMOUNTS = {"registrations": 120, "credentials": 330, "sign_ins": 700, "audit_rows": 400}


def generate(*options: str, **amounts: int) -> dict[str, Any]:
    """Run the command; what it answers in JSON."""
    numbers = [f"--{name.replace('_', '-')}={number}" for name, number in (AMOUNTS | amounts).items()]
    out = StringIO()
    call_command("generate_demo", *numbers, *options, "--json", stdout=out, stderr=StringIO())
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def test_there_are_as_many_rows_as_were_asked_for() -> None:
    told = generate()
    tenant = Tenant.objects.get(pk=told["directoryId"])
    assert tenant.name.endswith("(demo)")
    made = Application.objects.filter(tenant=tenant)
    assert made.count() == AMOUNTS["registrations"]
    assert not made.filter(is_demo=False).exists()
    counts = [model.objects.count() for model in (ClientSecret, Certificate, FederatedCredential)]
    assert all(counts)
    assert sum(counts) == AMOUNTS["credentials"]
    assert SignIn.objects.filter(tenant_id=tenant.pk).count() == AMOUNTS["sign_ins"]
    # Beside the invented ones: the directory was filled.
    assert AuditEvent.objects.filter(tenant_id=tenant.pk).count() == AMOUNTS["audit_rows"] + 1
    acted = AuditEvent.objects.filter(tenant_id=tenant.pk).exclude(actor_name__endswith="(demo)")
    assert [event.tag for event in acted] == ["directory:demo:loaded"]
    assert verify_audit().is_intact
    for kind in (
        made.exclude(deleted_at=None),
        made.filter(is_disabled=True),
        made.exclude(authority_kind="built-in"),
        SignIn.objects.exclude(error_code=0),
        SignIn.objects.exclude(thumbprint=""),
    ):
        assert kind.exists()


def test_what_was_made_opens_and_works_like_any_other() -> None:
    generate()
    now = timezone.now()
    for secret in ClientSecret.objects.filter(end_at__gt=now)[:20]:
        assert match_secret([secret], open_value(secret), now).kind == "live"
    for certificate in Certificate.objects.all()[:20]:
        parsed = parse_certificate(open_certificate(certificate))
        assert (parsed.thumbprint_sha1, parsed.end_at) == (certificate.thumbprint_sha1, certificate.end_at)
    used = set(SignIn.objects.values_list("credential_id", flat=True))
    known = {row.pk for model in (ClientSecret, Certificate) for row in model.objects.all()}
    assert used <= known
    busy = SignIn.objects.values_list("credential_id").annotate(times=Count("*")).order_by("-times")[0][0]
    at_work = next(row for model in (ClientSecret, Certificate) for row in model.objects.filter(pk=busy))
    assert at_work.start_at <= now - timedelta(days=30), "it signs in before it begins"
    assert end_of(at_work) > now, "it signs in after its end"
    times = list(SignIn.objects.order_by("sequence").values_list("at", flat=True))
    assert times == sorted(times)


def test_an_installation_with_real_registrations_is_left_alone_unless_told() -> None:
    mine = application("Mine")
    events = AuditEvent.objects.count()
    with pytest.raises(CommandError, match="--beside-real-ones"):
        generate()
    assert list(Application.objects.all()) == [mine]
    assert (Tenant.objects.count(), AuditEvent.objects.count()) == (1, events)
    generate("--beside-real-ones", registrations=3, credentials=3)
    assert Application.objects.count() == 4


def test_a_second_run_needs_a_directory_and_what_is_there_can_be_removed() -> None:
    person()
    generate(registrations=5, credentials=12, sign_ins=10, audit_rows=10)
    with pytest.raises(CommandError, match="--directory"):
        generate()
    tenant = Tenant.objects.get(domains__name__startswith="demoatscale")
    told = generate("--directory", "demoatscale.onmicrosoft.example", registrations=2, credentials=0)
    assert told["directoryId"] == str(tenant.pk)
    assert remove_demo(tenant, actor=COMMAND, now=timezone.now()) == 7
    assert not SignIn.objects.exists()


@pytest.mark.parametrize("amounts", [{"registrations": -1}, {"registrations": 0, "credentials": 5}])
def test_numbers_that_make_no_sense_are_refused(amounts: dict[str, int]) -> None:
    with pytest.raises(CommandError, match="Nothing was changed"):
        generate(**amounts)
    assert not Tenant.objects.exclude(is_default=True).exists()
