"""The seed's acceptance rows B1 to B13: certificates, seen from outside."""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import RegisteredApp, SeedFiles, make_seed_files
from tests.acceptance.test_seed_secrets import codes


def upload(page: Any, app: RegisteredApp, file: Path) -> None:
    """Upload a file on the Certificates tab as a person would."""
    page.goto(app.page("/credentials/certificates"))
    page.get_by_role("link", name="Upload certificate").first.click()
    page.get_by_label(re.compile("^Certificate file")).set_input_files(file)
    page.get_by_role("button", name="Add", exact=True).click()


def dict_of_the_seed(thumbprint: str, key: Path) -> dict[str, str]:
    """The credential of the documentation: thumbprint and private key."""
    return {"thumbprint": thumbprint, "private_key_file": str(key)}


def claims_of(token: str) -> dict[str, Any]:
    """The token's claims, not verified."""
    middle = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return claims


def test_b1_the_three_commands_run_as_written(seed_files: SeedFiles) -> None:
    """B1: three files, and the certificate is the X.509 version 1 that this command makes."""
    assert seed_files.key.is_file()
    assert seed_files.request.is_file()
    shown = subprocess.run(
        ["openssl", "x509", "-in", seed_files.certificate, "-noout", "-text"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "Version: 1" in shown


@pytest.mark.browser
def test_b2_b3_b4_upload_shows_the_thumbprint(
    signed_in_page: Any, app: RegisteredApp, seed_files: SeedFiles
) -> None:
    """B2, B3, B4: accepted; the row shows openssl's own fingerprint, which can be copied."""
    signed_in_page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    upload(signed_in_page, app, seed_files.certificate)
    signed_in_page.goto(app.page("/credentials/certificates"))
    row = signed_in_page.locator("table.list tbody tr").first
    assert seed_files.thumbprint() in row.inner_text()
    assert "CN=example" in row.inner_text()
    row.get_by_role("button", name=re.compile("^Copy .*thumbprint", re.IGNORECASE)).first.click()
    assert signed_in_page.evaluate("navigator.clipboard.readText()") == seed_files.thumbprint()


@pytest.mark.browser
def test_b5_the_private_key_is_refused(
    signed_in_page: Any, app: RegisteredApp, seed_files: SeedFiles
) -> None:
    """B5: server.pem is refused in plain words, nothing is stored, nothing of it is shown."""
    upload(signed_in_page, app, seed_files.key)
    content = signed_in_page.content()
    assert "This file contains a private key" in content
    assert seed_files.key.read_text().splitlines()[9] not in content
    signed_in_page.goto(app.page("/credentials/certificates"))
    assert signed_in_page.locator("table.list tbody tr").count() == 0


@pytest.mark.parametrize("spelling", [str.upper, str.lower], ids=["b6-b7-upper", "b8-lower"])
def test_b6_b7_b8_the_dict_of_the_seed(
    app: RegisteredApp, seed_files: SeedFiles, spelling: Callable[[str], str]
) -> None:
    """B6, B7, B8: constructs, gets a token whose appidacr is "2", thumbprint in either case."""
    added = app.add_certificate(seed_files.certificate)
    assert added["thumbprint"] == seed_files.thumbprint()
    assert added["thumbprintSha256"] == seed_files.thumbprint("sha256")
    answer = app.acquire(dict_of_the_seed(spelling(added["thumbprint"]), seed_files.key))
    assert claims_of(answer["access_token"])["appidacr"] == "2"


def test_b7_the_modern_shape(app: RegisteredApp, seed_files: SeedFiles) -> None:
    """B7 with private_key and public_certificate, which MSAL prefers today (PS256, x5t#S256)."""
    app.add_certificate(seed_files.certificate)
    answer = app.acquire(
        {"private_key_file": str(seed_files.key), "public_certificate_file": str(seed_files.certificate)}
    )
    assert claims_of(answer["access_token"])["appidacr"] == "2"


def test_b9_the_thumbprint_of_another_certificate(
    app: RegisteredApp, seed_files: SeedFiles, tmp_path: Path
) -> None:
    """B9: 700027, key not found, the thumbprint is shown."""
    app.add_certificate(seed_files.certificate)
    other = make_seed_files(tmp_path / "other")
    answer = app.acquire(dict_of_the_seed(other.thumbprint(), seed_files.key))
    assert codes(answer) == ("invalid_client", [700027])
    assert "key was not found" in answer["error_description"].lower()
    assert other.thumbprint() in answer["error_description"]


def test_b10_another_private_key(app: RegisteredApp, seed_files: SeedFiles, tmp_path: Path) -> None:
    """B10: 700027, signature."""
    app.add_certificate(seed_files.certificate)
    other = make_seed_files(tmp_path / "other")
    answer = app.acquire(dict_of_the_seed(seed_files.thumbprint(), other.key))
    assert codes(answer) == ("invalid_client", [700027])
    assert "signature" in answer["error_description"].lower()


@pytest.mark.browser
def test_b11_a_removed_certificate(signed_in_page: Any, app: RegisteredApp, seed_files: SeedFiles) -> None:
    """B11: removed on the page, then 700027 for a fresh client object."""
    added = app.add_certificate(seed_files.certificate)
    credential = dict_of_the_seed(added["thumbprint"], seed_files.key)
    assert "access_token" in app.acquire(credential)
    signed_in_page.goto(app.page(f"/credentials/certificates/{added['keyId']}/delete"))
    signed_in_page.get_by_role("button", name=re.compile("^Delete")).click()
    signed_in_page.wait_for_url("**/credentials/certificates*")
    assert codes(app.acquire(credential)) == ("invalid_client", [700027])


def test_b12_an_expired_certificate_still_listed(
    app: RegisteredApp, expired_certificate: Callable[[RegisteredApp], tuple[str, Path]]
) -> None:
    """B12: 700027, expired."""
    thumbprint, key = expired_certificate(app)
    answer = app.acquire(dict_of_the_seed(thumbprint, key))
    assert codes(answer) == ("invalid_client", [700027])
    assert "expired" in answer["error_description"].lower()


@pytest.mark.browser
@pytest.mark.parametrize("name", ["server.der", "server.cer", "server.pem", "server.txt"])
def test_b13_content_decides_not_the_name(
    signed_in_page: Any, app: RegisteredApp, seed_files: SeedFiles, tmp_path: Path, name: str
) -> None:
    """B13: DER or PEM, under any name, the same thumbprint."""
    file = tmp_path / name
    if name == "server.der":
        convert: list[str | Path] = ["openssl", "x509", "-outform", "DER"]
        convert += ["-in", seed_files.certificate, "-out", file]
        subprocess.run(convert, check=True)
    else:
        shutil.copy(seed_files.certificate, file)
    upload(signed_in_page, app, file)
    signed_in_page.goto(app.page("/credentials/certificates"))
    assert seed_files.thumbprint() in signed_in_page.locator("table.list tbody").inner_text()
