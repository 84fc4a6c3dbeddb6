"""The command that rolls the signing key (W7)."""

import io
import json
from datetime import datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from credmgr.authority.models import SigningKey
from tests.authority.conftest import Directory


@pytest.mark.parametrize(
    ("flags", "minutes", "stays"),
    [([], 65, True), (["--emergency"], 0, False), (["--emergency", "--keep-older"], 0, True)],
)
def test_roll(directory: Directory, flags: list[str], minutes: int, stays: bool) -> None:
    """The new key signs after every cached key set, or at once; the old one stays published, or goes."""
    old = SigningKey.objects.get()
    output = io.StringIO()
    call_command("roll_signing_key", "--json", *flags, stdout=output)
    facts = json.loads(output.getvalue())
    begins = datetime.fromisoformat(facts["signsFrom"])
    assert abs(begins - directory.now - timedelta(minutes=minutes)) < timedelta(minutes=1)
    keys = directory.get(f"/{directory.tenant.id}/discovery/v2.0/keys").body["keys"]
    expected = {facts["kid"], old.kid} if stays else {facts["kid"]}
    assert {key["kid"] for key in keys} == expected


def test_said_in_words(directory: Directory) -> None:
    """Without --json a sentence."""
    output = io.StringIO()
    call_command("roll_signing_key", stdout=output)
    assert "is published. It signs from" in output.getvalue()


def test_refused_in_a_sentence(directory: Directory) -> None:
    """A second roll while the next key waits, and a flag that means nothing alone."""
    call_command("roll_signing_key", stdout=io.StringIO())
    with pytest.raises(CommandError, match="The next key is published already"):
        call_command("roll_signing_key")
    with pytest.raises(CommandError, match="goes with --emergency"):
        call_command("roll_signing_key", "--keep-older")
