"""Allowed origins in the portal: the list, adding one, removing one."""

import html
import re
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from credmgr.audit.models import AuditEvent
from credmgr.audit.recording import Actor
from credmgr.credentials.federated import add_federated_credential
from credmgr.origins.changing import add_origin
from credmgr.origins.models import AllowedOrigin
from credmgr.registrations.models import Application
from tests.flowtest.far_side import make_ca
from tests.portal.conftest import PASSWORD
from tests.portal.credential_forms import age_sign_in
from tests.portal.questions import assert_asks_for_sign_in, assert_refuses_methods

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 14, 52, 6, tzinfo=UTC)
ADDRESS = "https://idp.example.com:8443"
KEY = "-----BEGIN PRIVATE KEY-----\nMIIBcanary\n-----END PRIVATE KEY-----"


def listed(address: str = ADDRESS, **given: Any) -> AllowedOrigin:
    """An origin put on the list by the act."""
    return add_origin(address=address, actor=Actor("Robin Vale", None), now=NOW, **given)


def text_of(answer: Any) -> str:
    """The page's words."""
    return html.unescape(answer.content.decode())


def trusts(application: Application, issuer: str, name: str = "cluster") -> None:
    """Give the application a federated credential of that issuer."""
    add_federated_credential(
        application, name=name, issuer=issuer, subject=name, actor=Actor("Robin Vale", None), now=NOW
    )


def test_questions_every_page_is_asked(signed_in: Client) -> None:
    row = listed()
    for address in ("/origins", "/origins/new", f"/origins/{row.pk}/remove"):
        assert_asks_for_sign_in(address)
        assert signed_in.get(address).status_code == 200
        assert_refuses_methods(signed_in, address, ["PUT", "DELETE"])
    assert signed_in.get(f"/origins/{uuid.uuid4()}/remove").status_code == 404
    assert signed_in.post("/origins").status_code == 405


def test_the_list_says_where_each_entry_comes_from(
    signed_in: Client, tmp_path: Path, django_assert_max_num_queries: Any
) -> None:
    ca_file, _, _ = make_ca(tmp_path)
    listed(name="<b>Staging</b>", is_private=True, ca_text=ca_file.read_text())
    listed("http://localhost:9000", is_private=True, is_http=True)
    for number in range(10):
        listed(f"https://more-{number}.example.com")
    with django_assert_max_num_queries(8):
        raw = signed_in.get("/origins").content.decode()
    assert "&lt;b&gt;Staging" in raw
    body = html.unescape(raw)
    for part in (
        ADDRESS,
        "http://localhost:9000",
        "https://login.microsoftonline.com",
        "https://login.sovcloud-identity.fr",
        "https://token.actions.githubusercontent.com",
        "Built in",
        "Well known",
        "Added by Robin Vale",
        "23 Nov 2026",
        "Own CA",
        "Plain http",
        "20 origins",
    ):
        assert part in body, part
    assert body.count("/remove") == 12
    assert "BEGIN CERTIFICATE" not in body
    assert 'href="/origins"' in text_of(signed_in.get("/applications")), "it has an entry in the navigation"


def test_an_origin_is_added_and_audited(signed_in: Client) -> None:
    answer = signed_in.post(
        "/origins/new", {"address": f" {ADDRESS}/ ", "name": "Staging", "is_private": "on"}
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, "/origins")
    row = AllowedOrigin.objects.get()
    assert (row.scheme, row.host, row.port, row.is_private) == ("https", "idp.example.com", 8443, True)
    assert row.created_by_name == "Robin Vale"
    body = text_of(signed_in.get("/origins"))
    assert f"{ADDRESS} may be called from now on." in body
    assert "Staging" in body
    audit = text_of(signed_in.get("/audit"))
    assert "Allowed origin added" in audit
    assert ADDRESS in audit


def test_a_file_with_the_ca_is_taken_while_its_box_is_ticked(signed_in: Client, tmp_path: Path) -> None:
    ca_file, _, _ = make_ca(tmp_path)
    upload = SimpleUploadedFile("ca.pem", ca_file.read_bytes())
    signed_in.post("/origins/new", {"address": ADDRESS, "own_ca": "on", "ca_file": upload})
    assert AllowedOrigin.objects.get().ca_pem.strip() == ca_file.read_text().strip()
    upload = SimpleUploadedFile("ca.pem", ca_file.read_bytes())
    other = {"address": "https://other.example.com", "ca_text": "left over", "ca_file": upload}
    assert signed_in.post("/origins/new", other).status_code == 302
    assert AllowedOrigin.objects.get(host="other.example.com").ca_pem == ""


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"address": ""}, "Enter an origin, such as"),
        ({"address": "https://idp.example.com/tenant"}, "Enter https://idp.example.com alone."),
        ({"address": "https://2130706433"}, "four numbers"),
        ({"address": "https://localhost:9000"}, "Tick Private addresses to allow it."),
        ({"address": "http://idp.example.com"}, "Tick Plain http"),
        ({"address": "https://login.microsoftonline.com"}, "on the list already: well known"),
        ({"address": "https://" + "a" * 5000}, "too long for an origin"),
        ({"name": "n" * 121}, "121 characters"),
        ({"name": "n\x00n"}, "Null characters are not allowed."),
        ({"own_ca": "on"}, "untick the box"),
        ({"own_ca": "on", "ca_text": "nonsense"}, "holds no certificate"),
        ({"own_ca": "on", "ca_text": "x" * 200_000}, "larger than 64 KB"),
    ],
)
def test_a_refusal_keeps_what_was_typed_and_changes_nothing(
    signed_in: Client, typed: dict[str, str], sentence: str
) -> None:
    form = {"address": ADDRESS, "name": "Kept name", **typed}
    answer = signed_in.post("/origins/new", form)
    body = text_of(answer)
    assert answer.status_code == 422
    assert "The origin was not added." in body
    assert sentence in body
    if "name" not in typed:
        assert 'value="Kept name"' in body
    assert not AllowedOrigin.objects.exists()
    assert not AuditEvent.objects.filter(tag__startswith="outbound").exists()


def test_u4_a_private_key_is_refused_and_never_shown_again(signed_in: Client) -> None:
    """U-4: neither in the field nor in a sentence; everything else stays."""
    answer = signed_in.post(
        "/origins/new", {"address": ADDRESS, "name": "Kept", "own_ca": "on", "ca_text": f"text\n{KEY}"}
    )
    body = text_of(answer)
    assert "This holds a private key." in body
    assert "canary" not in body
    assert 'value="Kept"' in body
    upload = SimpleUploadedFile("ca.pem", KEY.encode())
    body = text_of(signed_in.post("/origins/new", {"address": ADDRESS, "own_ca": "on", "ca_file": upload}))
    assert "This holds a private key." in body
    assert "canary" not in body
    # Not ticked: nothing of it counts, and it is not echoed either.
    wrong = {"address": "nonsense", "ca_text": KEY}
    assert "canary" not in text_of(signed_in.post("/origins/new", wrong))
    assert not AllowedOrigin.objects.exists()


def test_l2_adding_and_removing_ask_for_the_password(signed_in: Client) -> None:
    """L-2: what was typed stays."""
    row = listed("https://other.example.com")
    age_sign_in(signed_in)
    body = text_of(signed_in.post("/origins/new", {"address": ADDRESS}))
    assert "Enter your password" in body
    assert f'value="{ADDRESS}"' in body
    assert "Enter your password" in text_of(signed_in.post(f"/origins/{row.pk}/remove"))
    assert AllowedOrigin.objects.count() == 1
    answer = signed_in.post("/origins/new", {"address": ADDRESS, "current_password": PASSWORD})
    assert answer.status_code == 302
    assert AllowedOrigin.objects.count() == 2


def test_the_form_is_filled_in_from_where_an_unlisted_origin_was_met(signed_in: Client) -> None:
    body = text_of(signed_in.get("/origins/new?address=http%3A%2F%2Flocalhost%3A9000"))
    assert 'value="http://localhost:9000"' in body
    assert re.search('<input[^>]*name="is_http"[^>]* checked', body)
    escaped = signed_in.get("/origins/new?address=%22%3E%3Cscript%3E").content.decode()
    assert "<script>" not in escaped.replace('<script type="module"', "")


def test_removing_names_who_uses_it(signed_in: Client, harbor: Application, foreign: Application) -> None:
    row = listed()
    assert "No registration and no federated credential uses it." in text_of(
        signed_in.get(f"/origins/{row.pk}/remove")
    )
    trusts(harbor, f"{ADDRESS}/pool")
    trusts(harbor, "https://IDP.example.com:8443/other", "spelled-otherwise")
    trusts(harbor, "https://idp.example.com:8444/pool", "other-port")
    trusts(foreign, f"{ADDRESS}/pool", "abroad")
    Application.objects.create(
        tenant=harbor.tenant,
        display_name="Lives there",
        authority_kind="oidc",
        authority_url=f"{ADDRESS}/",
        external_client_id="x",
        created_at=NOW,
    )
    body = text_of(signed_in.get(f"/origins/{row.pk}/remove"))
    assert "Harbor Sync Worker</a> trusts it with the credential cluster" in body
    assert "trusts it with the credential spelled-otherwise" in body
    assert "other-port" not in body
    assert "Foreign of Elsewhere trusts it with the credential abroad" in body
    assert f"/applications/{foreign.pk}" not in body
    assert "Lives there</a> lives there" in body
    for number in range(19):
        trusts(foreign, f"{ADDRESS}/{number}", f"abroad-{number}")
    assert "and 3 more" in text_of(signed_in.get(f"/origins/{row.pk}/remove"))


def test_a_removed_origin_is_gone(signed_in: Client) -> None:
    row = listed()
    answer = signed_in.post(f"/origins/{row.pk}/remove")
    assert answer.headers["Location"] == "/origins"
    assert f"{ADDRESS} is not called any more." in text_of(signed_in.get("/origins"))
    assert not AllowedOrigin.objects.exists()
    assert AuditEvent.objects.latest("sequence").tag == "outbound:origin:removed"
    assert signed_in.post(f"/origins/{row.pk}/remove").status_code == 404
