"""One flipped byte in the tables, on the pages: lists stay, the test says what to do, deleting works."""

import pytest
from django.test import Client

from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.flowtest.models import FlowRun
from credmgr.registrations.models import Application
from tests.authority.test_damaged_values import damage
from tests.flowtest.far_side import Client as CertificateHolder
from tests.flowtest.far_side import FarSide
from tests.portal.credential_forms import credentials_of
from tests.portal.test_flow_tests_page import certificate_of, press, secret_of, side, text_of

__all__ = ["side"]
SENTENCE = "What is stored of this credential is damaged and cannot be opened."


def test_a_damaged_secret(signed_in: Client, harbor: Application, side: FarSide) -> None:
    row, value = secret_of(harbor)
    sound, _ = secret_of(harbor, description="sound")
    damage(row, "value")
    assert "worker" in text_of(signed_in.get(credentials_of(harbor, "/secrets")))
    answer = press(signed_in, harbor, row)
    assert answer.status_code == 422
    assert SENTENCE in text_of(answer)
    assert value not in text_of(answer)
    assert not FlowRun.objects.exists()
    assert side.requests == []
    assert press(signed_in, harbor, sound).status_code == 302
    assert FlowRun.objects.get().verdict == "verified"
    assert signed_in.post(credentials_of(harbor, f"/secrets/{row.pk}/delete")).status_code == 302
    assert list(ClientSecret.objects.values_list("pk", flat=True)) == [sound.pk]


@pytest.mark.parametrize("column", ["private_key", "der"])
def test_a_damaged_certificate_or_kept_key(
    signed_in: Client, harbor: Application, side: FarSide, column: str
) -> None:
    row = certificate_of(harbor, CertificateHolder(), keep=True)
    damage(row, column)
    assert "sync" in text_of(signed_in.get(credentials_of(harbor, "/certificates")))
    answer = press(signed_in, harbor, row)
    assert answer.status_code == 422
    assert SENTENCE in text_of(answer)
    assert side.requests == []
    signed_in.raise_request_exception = False
    download = signed_in.get(credentials_of(harbor, f"/certificates/{row.pk}/download/pem"))
    assert download.status_code == (503 if column == "der" else 200)
    assert signed_in.post(credentials_of(harbor, f"/certificates/{row.pk}/delete")).status_code == 302
    assert not Certificate.objects.exists()
