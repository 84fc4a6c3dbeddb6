"""Planted values are searched for everywhere they must not be (E-5, G-4, S-1, S-5)."""

import base64
import json
import re
import subprocess
import urllib.parse
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.acceptance.conftest import RegisteredApp, make_seed_files
from tests.acceptance.portal_session import PortalSession, read_page
from tests.acceptance.test_seed_secrets import VALUE
from tests.installation import Installation

PFX_PASSWORD = "canary-Pfx-Passw0rd-7351"
WRONG_VALUE = "canary-wrong-secret-value-90125"
PASTED_VALUE = "p.8Q~canary_of-another-authority-4711"
FILED_VALUE = "f.8Q~canary_from-a-file-of-a-script-0815"
REFUSED_VALUE = " canary-refused-for-its-white-space-1701"


def spellings(value: bytes) -> Iterator[bytes]:
    """The value as it could lie around: plain, base64 at each offset, hex, URL-quoted, UTF-16."""
    yield value
    yield value.hex().encode()
    yield value.hex().upper().encode()
    yield urllib.parse.quote(value, safe="").encode()
    yield value.decode("latin-1").encode("utf-16-le")
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + value)
        # Drop the characters that depend on the neighbours of the value.
        inner = encoded[4 if offset else 0 : -4]
        yield inner
        yield inner.replace(b"+", b"-").replace(b"/", b"_")


def found_in(haystack: bytes, canaries: dict[str, bytes]) -> list[str]:
    """Names of the canaries that occur in any spelling."""
    return [
        name
        for name, value in canaries.items()
        if any(form and form in haystack for form in spellings(value))
    ]


APPLICATION = re.compile(r"/applications/([0-9a-f-]{36})")


def walk_pages(
    session: PortalSession, start: list[str], ids: set[str]
) -> Iterator[tuple[str, requests.Response]]:
    """Every page reachable by links from the start, each address once, at most a few hundred.

    Of registrations only those with these ids: other tests have made many on the same installation.
    """
    seen: set[str] = set()
    waiting = list(start)
    while waiting and len(seen) < 400:
        path = waiting.pop()
        if path in seen or not path.startswith("/") or path.startswith(("/static/", "//")):
            continue
        about = APPLICATION.match(path)
        if about and about[1] not in ids:
            continue
        seen.add(path)
        answer = session.get(path)
        yield path, answer
        if "html" in answer.headers.get("Content-Type", ""):
            waiting += [link.split("#")[0] for link in read_page(answer.text).links]


def opened_session(data: str) -> bytes:
    """What a stored session holds: Django signs base64url text, compressed when it begins with a dot."""
    body = data.split(":")[0]
    raw = base64.urlsafe_b64decode(body.lstrip(".") + "=" * (-len(body.lstrip(".")) % 4))
    return zlib.decompress(raw) if body.startswith(".") else raw


@pytest.fixture
def elsewhere(installation: Installation) -> str:
    """The page of a registration that lives at an issuer nobody listed."""
    made = installation.json(
        "register_app", "Canary elsewhere", "--issuer", "https://canary.example.com/", "--client-id", "bird"
    )
    return f"/applications/{made['id']}"


def paste_elsewhere(person: PortalSession, installation: Installation, elsewhere: str, file: Path) -> None:
    """A refused paste, a kept one, one from a file, and a test that cannot be run."""
    address = f"{elsewhere}/credentials/secrets/new"
    refused = person.submit(address, {"value": REFUSED_VALUE})
    assert "begins or ends with white space" in refused.text
    assert REFUSED_VALUE.strip() not in refused.text
    kept = person.submit(address, {"value": PASTED_VALUE, "description": "pasted"})
    assert "is kept, sealed" in kept.text, kept.text[:3000]
    assert PASTED_VALUE not in kept.text
    file.write_text(f"{FILED_VALUE}\n")
    done = installation.manage("add_secret", elsewhere.rpartition("/")[2], "--value-file", str(file))
    assert done.returncode == 0, done.stderr
    assert FILED_VALUE not in done.stdout + done.stderr
    tried = installation.manage("test_token", elsewhere.rpartition("/")[2], "--json")
    assert not {PASTED_VALUE, FILED_VALUE} & set(tried.stdout.split('"'))


@pytest.fixture
def planted(
    installation: Installation, app: RegisteredApp, elsewhere: str, tmp_path: Path
) -> dict[str, bytes]:
    """Plant secrets, a private key, a PFX password, assertions and tokens by using the product."""
    person = PortalSession(installation.portal_url, installation.admin_name, installation.admin_password)
    shown = person.submit(
        f"/applications/{app.facts['id']}/credentials/secrets/new", {"description": "canary"}
    )
    match = VALUE.search(shown.text)
    assert match, shown.text[:3000]
    secret = match.group(0)
    assert (
        shown.headers["Cache-Control"].startswith("no-store") or "no-store" in shown.headers["Cache-Control"]
    )

    files = make_seed_files(tmp_path / "canary")
    pfx = tmp_path / "canary.pfx"
    export: list[str | Path] = ["openssl", "pkcs12", "-export"]
    export += ["-inkey", files.key, "-in", files.certificate, "-out", pfx]
    subprocess.run([*export, "-passout", f"pass:{PFX_PASSWORD}"], check=True)
    uploaded = person.submit(
        f"/applications/{app.facts['id']}/credentials/certificates/new",
        {"description": "canary", "keep_private_key": "on", "password": PFX_PASSWORD},
        files={"certificate_file": ("canary.pfx", pfx.read_bytes())},
    )
    assert uploaded.status_code == 200, uploaded.text[:3000]
    listed = person.get(f"/applications/{app.facts['id']}/credentials/certificates").text
    assert files.thumbprint() in listed

    token = app.acquire({"secret": secret})["access_token"]
    by_key = app.acquire({"thumbprint": files.thumbprint(), "private_key_file": str(files.key)})
    refused = app.acquire({"secret": WRONG_VALUE})
    assert "error" in refused
    done = installation.manage("test_token", app.client_id, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    paste_elsewhere(person, installation, elsewhere, tmp_path / "value")
    key_lines = files.key.read_text().splitlines()
    return {
        "secret": secret.encode(),
        "wrong secret": WRONG_VALUE.encode(),
        "pasted secret": PASTED_VALUE.encode(),
        "secret of a file": FILED_VALUE.encode(),
        "refused secret": REFUSED_VALUE.strip().encode(),
        # Bytes 400 to 448 lie in the private exponent (RFC 8017 A.1.2); what comes before 300 is public.
        "private key (PEM)": key_lines[9].encode(),
        "private key (DER)": base64.b64decode("".join(key_lines[1:-1]))[400:448],
        "PFX password": PFX_PASSWORD.encode(),
        "token": token.rsplit(".", 1)[1][:80].encode(),
        "certificate's token": by_key["access_token"].rsplit(".", 1)[1][:80].encode(),
        "administrator's password": installation.admin_password.encode(),
    }


def test_nothing_planted_is_found_anywhere(
    installation: Installation, app: RegisteredApp, elsewhere: str, planted: dict[str, bytes]
) -> None:
    """Database file, WAL, logs, a dump, sessions, every page, error pages, command output."""
    person = PortalSession(installation.portal_url, installation.admin_name, installation.admin_password)
    leaks: list[str] = []

    for file in installation.data_dir.rglob("*"):
        if file.is_file() and file.name != "keyring":
            leaks += [f"{file.name}: {name}" for name in found_in(file.read_bytes(), planted)]

    dump = installation.database.dump().encode()
    sessions = [row[0] for row in installation.database.rows("SELECT session_data FROM accounts_session")]
    leaks += [f"dump: {name}" for name in found_in(dump, planted)]
    assert sessions
    leaks += [f"session: {name}" for data in sessions for name in found_in(opened_session(data), planted)]
    leaks += [f"log: {name}" for name in found_in(installation.logs().encode(), planted)]

    visited = 0
    own = f"/applications/{app.facts['id']}"
    wrong = ["/no-such-page", f"{own}/credentials/secrets/{app.facts['id']}/delete"]
    start = ["/applications", own, elsewhere, "/audit", "/sign-ins", *wrong]
    for path, answer in walk_pages(person, start, {app.facts["id"], elsewhere.rpartition("/")[2]}):
        visited += 1
        leaks += [f"page {path}: {name}" for name in found_in(answer.content, planted)]
        leaks += [f"headers of {path}: {name}" for name in found_in(str(answer.headers).encode(), planted)]
        assert answer.status_code < 500, path
    assert visited > 15

    for command in (["list_apps", "--json"], ["test_token", app.client_id, "--json"], ["check_vault"]):
        done = installation.manage(*command)
        output = (done.stdout + done.stderr).encode()
        leaks += [f"{command[0]}: {name}" for name in found_in(output, planted)]
    assert not leaks


def test_the_search_itself_finds_what_is_there(tmp_path: Path) -> None:
    """A search that cannot find would prove nothing."""
    value = b"abc_cm_0123456789012345678901234567890123456"
    for offset in range(3):
        text = base64.b64encode(b"x" * offset + value + b"tail")
        assert found_in(text, {"it": value}) == ["it"]
    assert found_in(json.dumps({"a": value.hex()}).encode(), {"it": value}) == ["it"]
    assert found_in(b"nothing here", {"it": value}) == []
    assert re.fullmatch(VALUE, "abc_cm_" + "0" * 37)
