"""The Overview of an application and its endpoints panel."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from credmgr.audit.models import SignIn
from credmgr.audit.recording import Actor
from credmgr.credentials.client_secrets import add_client_secret
from credmgr.credentials.models import ClientSecret
from credmgr.registrations.models import Application
from tests.portal.conftest import Register
from tests.portal.questions import assert_asks_for_sign_in, assert_hides, assert_refuses_methods

pytestmark = pytest.mark.django_db
PAGES = ("", "/endpoints")


def add_secret(application: Application, name: str, days: int) -> ClientSecret:
    """A secret that began 100 days ago and ends in so many days, or ended."""
    now = timezone.now()
    secret, _ = add_client_secret(
        application,
        description=name,
        start_at=now - timedelta(days=100),
        end_at=now + timedelta(days=days),
        allow_past_end=True,
        actor=Actor.command(),
        now=now,
    )
    return secret


@pytest.mark.parametrize("page", PAGES)
def test_questions_every_page_is_asked(
    signed_in: Client, harbor: Application, foreign: Application, page: str
) -> None:
    address = f"/applications/{harbor.pk}{page}"
    assert_asks_for_sign_in(address)
    assert_refuses_methods(signed_in, address, ["POST", "PUT", "DELETE"])
    assert_hides(signed_in, "/applications/{}" + page, foreign)


def test_essentials_show_all_three_ids_with_copy_buttons(signed_in: Client, harbor: Application) -> None:
    body = signed_in.get(f"/applications/{harbor.pk}").content.decode()
    for value, label in (
        (harbor.client_id, "Copy application (client) ID"),
        (harbor.pk, "Copy object ID"),
        (harbor.tenant_id, "Copy directory (tenant) ID"),
        (harbor.service_principal_id, "Copy service principal ID"),
    ):
        assert f'data-copy="{value}" aria-label="{label}"' in body


def test_without_credentials_it_says_how_to_begin(signed_in: Client, harbor: Application) -> None:
    body = signed_in.get(f"/applications/{harbor.pk}").content.decode()
    assert "Add a certificate or secret" in body
    assert "No credentials yet" in body


def test_a_close_end_is_said_with_its_days_and_its_use(signed_in: Client, harbor: Application) -> None:
    secret = add_secret(harbor, "worker-prod-2026", 12)
    SignIn.objects.create(
        at=timezone.now() - timedelta(minutes=4, seconds=5),
        trace_id=uuid.uuid4(),
        correlation_id=uuid.uuid4(),
        tenant_id=harbor.tenant_id,
        client_id=str(harbor.client_id),
        application_id=harbor.pk,
        credential_id=secret.pk,
    )
    body = signed_in.get(f"/applications/{harbor.pk}").content.decode()
    assert "worker-prod-2026 has 12 days left and was used 4 min ago." in body


def test_nothing_live_is_the_red_banner(signed_in: Client, harbor: Application) -> None:
    add_secret(harbor, "old", -3)
    body = signed_in.get(f"/applications/{harbor.pk}").content.decode()
    assert 'class="message message-bad' in body
    assert "No live credential." in body


def test_an_expired_one_beside_a_live_one_is_a_warning(signed_in: Client, harbor: Application) -> None:
    add_secret(harbor, "old", -3)
    add_secret(harbor, "new", 200)
    body = signed_in.get(f"/applications/{harbor.pk}").content.decode()
    assert "Another credential is live." in body
    assert 'class="message message-warn' in body


def test_a_disabled_application_says_so(signed_in: Client, harbor: Application) -> None:
    Application.objects.filter(pk=harbor.pk).update(is_disabled=True)
    body = signed_in.get(f"/applications/{harbor.pk}").content.decode()
    assert "Sign-in is disabled." in body
    assert "Enable sign-in" in body


def test_names_are_data_and_not_markup(signed_in: Client, register: Register) -> None:
    hostile = register('<script>alert("x")</script>')
    body = signed_in.get(f"/applications/{hostile.pk}").content.decode()
    assert "<script>alert" not in body


def test_the_number_of_queries_does_not_grow(
    signed_in: Client, harbor: Application, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        add_secret(harbor, f"secret {number}", 50 + number)
    with django_assert_max_num_queries(18):
        assert signed_in.get(f"/applications/{harbor.pk}").status_code == 200


def test_endpoints_name_the_configured_authority_and_never_the_host_header(
    signed_in: Client, harbor: Application
) -> None:
    body = signed_in.get(
        f"/applications/{harbor.pk}/endpoints", headers={"host": "127.0.0.1"}
    ).content.decode()
    base = f"{settings.AUTHORITY_URL}/{harbor.tenant_id}"
    assert f"<pre>{base}/v2.0/.well-known/openid-configuration</pre>" in body
    assert f"<pre>{base}/oauth2/v2.0/token</pre>" in body
    assert "127.0.0.1" not in body
