"""From one installation to another with other keys: the same client secret gets a token there."""

from pathlib import Path

import pytest

from credmgr.transfer.exporting import export_registration
from tests.factories import COMMAND, NOW, application, secret
from tests.installation import Installation
from tests.ops.test_crashes import ask_for_token


@pytest.mark.django_db
def test_the_same_secret_gets_a_token_at_the_other_installation(
    installation: Installation, tmp_path: Path
) -> None:
    """This process has a key ring and a database of its own, and stands for the first one."""
    app = application("Moved")
    _, value = secret(app, days=600)
    file, phrase = tmp_path / "moved.credmgr", tmp_path / "phrase"
    phrase.write_text("correct horse battery staple")
    file.write_bytes(export_registration(app, passphrase=phrase.read_text(), actor=COMMAND, now=NOW))
    made = installation.json("import_app", str(file), "--passphrase-file", str(phrase), "--keep-client-id")
    assert made["appId"] == str(app.client_id)
    assert ask_for_token(installation, made["appId"], value).status_code == 200
