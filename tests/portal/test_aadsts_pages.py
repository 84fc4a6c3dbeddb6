"""The pages that explain AADSTS codes, and the links that lead there."""

import uuid

import pytest
from django.test import Client
from django.utils import timezone

from credmgr.aadsts import CATALOGUE, FAMILIES, UNCONFIRMED
from credmgr.audit.models import SignIn
from credmgr.registrations.models import Application
from tests.portal.questions import assert_refuses_methods

CODE = 7000215


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_they_are_pages_of_the_portal(client: Client, signed_in: Client) -> None:
    for address in ("/aadsts", f"/aadsts/{CODE}"):
        asked = client.get(address)
        assert asked.status_code == 302
        assert "/account/login" in asked["Location"]
        assert "App registrations" in text_of(signed_in, address)
        assert_refuses_methods(signed_in, address, ["POST", "PUT", "DELETE"])


def test_the_list_has_every_code(signed_in: Client) -> None:
    text = text_of(signed_in, "/aadsts")
    for code in CATALOGUE:
        assert f'href="/aadsts/{code}"' in text
    assert sum(len(entries) for _, entries in FAMILIES) == len(CATALOGUE), "each code stands in one family"


@pytest.mark.parametrize("code", CATALOGUE)
def test_each_code_has_a_page(signed_in: Client, code: int) -> None:
    entry = CATALOGUE[code]
    text = text_of(signed_in, f"/aadsts/{code}")
    assert f"<h1>AADSTS{code}</h1>" in text
    assert f"<code>{entry.error}</code>" in text
    assert ("Unconfirmed for Entra." in text) == (code in UNCONFIRMED)
    assert ("authority&#x27;s words" in text or "authority's words" in text) == entry.can_be_emitted


@pytest.mark.parametrize(
    ("search", "found", "missing"),
    [
        ("7000215", 7000215, 700016),
        ("AADSTS7000222", 7000222, 7000215),
        ("aadsts 501051", 501051, 700016),
        ("invalid_scope", 1002012, 700016),
        ("EXPIRED", None, None),
        ("end date passed", 7000222, 700016),
        ("429", 90055, 700016),
    ],
)
def test_search(signed_in: Client, search: str, found: int | None, missing: int | None) -> None:
    """Digits, with the prefix or without; OAuth errors, statuses, words; all words must be there."""
    text = signed_in.get("/aadsts", {"search": search}).content.decode()
    if found:
        assert f'href="/aadsts/{found}"' in text
    if missing:
        assert f'href="/aadsts/{missing}"' not in text


def test_search_that_finds_nothing(signed_in: Client) -> None:
    for search in ("no-such-thing", "<script>alert(1)</script>", "\x00\x00zz", "x" * 5000):
        answer = signed_in.get("/aadsts", {"search": search})
        assert answer.status_code == 200
        assert "No code matches" in answer.content.decode()
        assert "<script>alert" not in answer.content.decode()


@pytest.mark.parametrize("code", ["1", "0", "9" * 9, "9" * 400])
def test_unknown_numbers_lead_to_the_list(signed_in: Client, code: str) -> None:
    answer = signed_in.get(f"/aadsts/{code}")
    assert answer.status_code == 404
    assert 'href="/aadsts"' in answer.content.decode()


@pytest.mark.parametrize("code", ["x", "-1", "7000215x", "\u0667", "9" * 5000])
def test_other_addresses_are_404(signed_in: Client, code: str) -> None:
    assert signed_in.get(f"/aadsts/{code}").status_code == 404


def _refused(application: Application, code: int) -> SignIn:
    return SignIn.objects.create(
        at=timezone.now(),
        trace_id=uuid.uuid4(),
        correlation_id=uuid.uuid4(),
        tenant_id=application.tenant_id,
        client_id=str(application.client_id),
        application_id=application.pk,
        error_code=code,
    )


def test_the_sign_in_log_links_the_code(signed_in: Client, harbor: Application) -> None:
    row = _refused(harbor, CODE)
    for address in ("/sign-ins", f"/applications/{harbor.pk}/sign-ins", f"/sign-ins/{row.pk}"):
        assert f'href="/aadsts/{CODE}"' in text_of(signed_in, address)


def test_a_code_of_a_newer_version_is_no_dead_link(signed_in: Client, harbor: Application) -> None:
    row = _refused(harbor, 123456789)
    for address in ("/sign-ins", f"/sign-ins/{row.pk}"):
        text = text_of(signed_in, address)
        assert "AADSTS123456789" in text
        assert 'href="/aadsts/123456789"' not in text


@pytest.mark.django_db
def test_the_error_page_of_the_authority_links_it(client: Client) -> None:
    assert f'href="/aadsts/{CODE}"' in text_of(client, f"/error?code={CODE}")
