"""The command that rolls the signing key (W7)."""

import io
import json
from datetime import datetime, timedelta

import pytest
from django.core.management import call_command

from credmgr.authority.models import SigningKey
from tests.authority.conftest import Directory


@pytest.mark.parametrize(("flags", "hours"), [([], 1), (["--emergency"], 0)])
def test_roll(directory: Directory, flags: list[str], hours: int) -> None:
    """The new key signs in an hour, or at once; the old one stays published, or is withdrawn."""
    old = SigningKey.objects.get()
    output = io.StringIO()
    call_command("roll_signing_key", "--json", *flags, stdout=output)
    facts = json.loads(output.getvalue())
    begins = datetime.fromisoformat(facts["signsFrom"])
    assert abs(begins - directory.now - timedelta(hours=hours)) < timedelta(minutes=1)
    keys = directory.get(f"/{directory.tenant.id}/discovery/v2.0/keys").body["keys"]
    expected = {facts["kid"]} if flags else {facts["kid"], old.kid}
    assert {key["kid"] for key in keys} == expected


def test_said_in_words(directory: Directory) -> None:
    """Without --json a sentence."""
    output = io.StringIO()
    call_command("roll_signing_key", stdout=output)
    assert "is published. It signs from" in output.getvalue()
