"""A registration in a sealed file: what comes along, what is refused, and what the file gives away."""

import contextlib
import io
import json
import struct
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from credmgr.audit.models import AuditEvent
from credmgr.credentials.certificates import add_certificate, open_certificate, open_private_key
from credmgr.credentials.client_secrets import match_secret, open_value
from credmgr.credentials.federated import add_federated_credential
from credmgr.credentials.findings import examine
from credmgr.errors import DomainError
from credmgr.registrations.app_roles import add_app_role
from credmgr.registrations.directories import create_directory
from credmgr.registrations.models import Application, RequestedPermission
from credmgr.registrations.permissions import request_permissions
from credmgr.registrations.queries import default_tenant, identifier_uri_of
from credmgr.registrations.registering import update_application
from credmgr.transfer.document import FILE_BYTES_MAX, from_bytes, to_bytes
from credmgr.transfer.exporting import export_registration
from credmgr.transfer.importing import import_registration, read_export
from credmgr.vault.errors import VaultError
from credmgr.vault.passphrase import Kind, PassphraseError, open_with_passphrase, seal_with_passphrase
from credmgr.vault.source import forget_key_ring
from tests.acceptance.conftest import make_seed_files
from tests.acceptance.test_canary import found_in
from tests.factories import COMMAND, NOW, application, elsewhere, pasted, secret
from tests.fuzzing import examples
from tests.vault.conftest import key_line

pytestmark = pytest.mark.django_db
PASSPHRASE = "correct horse battery staple"
BY: dict[str, Any] = {"actor": COMMAND, "now": NOW}


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return make_seed_files(tmp_path_factory.mktemp("seed"))


@pytest.fixture
def full(seed: Any) -> tuple[Application, str]:
    """A registration with one of everything, and its secret's value."""
    app = application("Harbor Sync Worker", identifier_uri="api://harbor", notes="Night shift")
    app = update_application(
        app, access_token_version=1, app_role_assignment_required=True, expected_version=app.version, **BY
    )
    role = add_app_role(app, display_name="Read", value="Berths.Read", description="Reads berths.", **BY)
    request_permissions(app, api_client_id=app.client_id, role_ids=[role.pk], **BY)
    _, value = secret(app)
    secret(app, description="digest", verify_only=True)
    examined = examine(
        app,
        certificate_file=seed.certificate.read_bytes(),
        keep_private_key=True,
        key_file=seed.key.read_bytes(),
        now=NOW,
    )
    add_certificate(app, examination=examined, description="seed", **BY)
    add_federated_credential(app, name="pipeline", issuer="https://ci.example.com", subject="main", **BY)
    return app, value


def test_everything_comes_along_under_new_ids(full: tuple[Application, str]) -> None:
    app, value = full
    content = export_registration(app, passphrase=PASSPHRASE, **BY)
    other = create_directory(name="Elsewhere", domain="elsewhere", **BY)
    done = import_registration(read_export(content, PASSPHRASE), tenant=other, **BY)
    made = Application.objects.get(pk=done.application.pk)
    assert made.client_id != app.client_id
    assert (made.tenant, made.display_name, made.notes) == (other, app.display_name, app.notes)
    assert (made.access_token_version, made.app_role_assignment_required) == (1, True)
    assert identifier_uri_of(made) == "api://harbor"
    [row] = made.client_secrets.all()
    assert open_value(row) == value
    assert match_secret([row], value, NOW).secret == row
    assert row.pk not in set(app.client_secrets.values_list("pk", flat=True))
    [mine], [theirs] = app.certificates.all(), made.certificates.all()
    assert open_certificate(mine) == open_certificate(theirs)
    assert open_private_key(mine) == open_private_key(theirs)
    assert made.federated_credentials.get().issuer == "https://ci.example.com"
    role = made.app_roles.get()
    asked = RequestedPermission.objects.get(application=made)
    assert (asked.resource_client_id, asked.role_id) == (made.client_id, role.pk)
    assert [each.partition(":")[0] for each in done.left_out] == ["Admin consent", "The client secret digest"]
    told = AuditEvent.objects.filter(tag__in=["application:export:sealed", "application:import:done"])
    assert [each.tag for each in told.order_by("sequence")] == [
        "application:export:sealed",
        "application:import:done",
    ]
    assert value not in "".join(str(each.changes) for each in AuditEvent.objects.all())


def test_a_registration_that_lives_elsewhere_comes_along_too() -> None:
    app = elsewhere()
    row = pasted(app)
    content = export_registration(app, passphrase=PASSPHRASE, **BY)
    other = create_directory(name="Elsewhere", domain="elsewhere", **BY)
    made = import_registration(read_export(content, PASSPHRASE), tenant=other, **BY).application
    assert (made.authority_url, made.external_client_id) == (app.authority_url, app.external_client_id)
    assert open_value(made.client_secrets.get()) == open_value(row)
    with pytest.raises(DomainError):
        import_registration(read_export(content, PASSPHRASE), tenant=other, **BY)


def test_what_is_taken_is_told_with_the_choice_and_nothing_is_made(full: tuple[Application, str]) -> None:
    app, _ = full
    document = read_export(export_registration(app, passphrase=PASSPHRASE, **BY), PASSPHRASE)
    number = Application.objects.count()
    with pytest.raises(DomainError, match="Import without keeping the ID"):
        import_registration(document, tenant=default_tenant(), keep_client_id=True, **BY)
    with pytest.raises(DomainError, match="api://harbor"):
        import_registration(document, tenant=default_tenant(), **BY)
    assert Application.objects.count() == number
    done = import_registration(document, tenant=default_tenant(), without_identifier_uri=True, **BY)
    assert identifier_uri_of(done.application) == ""


def test_an_ended_certificate_stays_behind_and_is_told(full: tuple[Application, str]) -> None:
    app, _ = full
    document = read_export(export_registration(app, passphrase=PASSPHRASE, **BY), PASSPHRASE)
    late = NOW + timedelta(days=4000)
    done = import_registration(
        document, tenant=default_tenant(), without_identifier_uri=True, actor=COMMAND, now=late
    )
    assert done.application.certificates.count() == 0
    assert any(each.startswith("The certificate seed: ") for each in done.left_out)


def test_other_keys_seal_it_there(full: tuple[Application, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """As in another installation: nothing of the file depends on the key ring."""
    app, value = full
    content = export_registration(app, passphrase=PASSPHRASE, **BY)
    monkeypatch.setenv("CREDMGR_KEYRING", key_line())
    forget_key_ring()
    try:
        other = create_directory(name="Elsewhere", domain="elsewhere", **BY)
        made = import_registration(read_export(content, PASSPHRASE), tenant=other, keep_client_id=False, **BY)
        assert open_value(made.application.client_secrets.get()) == value
    finally:
        monkeypatch.undo()
        forget_key_ring()


def test_the_file_gives_nothing_away(full: tuple[Application, str], seed: Any) -> None:
    """E-5: also not the name."""
    app, value = full
    content = export_registration(app, passphrase=PASSPHRASE, **BY)
    lines = [line for line in seed.key.read_text().splitlines() if not line.startswith("-----")]
    planted = {
        "secret": value.encode(),
        "key": lines[9].encode(),
        "name": app.display_name.encode(),
        "passphrase": PASSPHRASE.encode(),
        "client id": str(app.client_id).encode(),
    }
    assert not found_in(content, planted)
    assert found_in(open_with_passphrase(Kind.REGISTRATION, PASSPHRASE, content), planted)


# ---------------------------------------------------------------- refused files
SEALED = seal_with_passphrase(Kind.REGISTRATION, PASSPHRASE, b"{}")


@pytest.mark.parametrize("place", [*range(8, 13), 13, 28, 29, 40, 41, len(SEALED) - 1])
def test_every_part_of_the_file_is_bound_to_the_rest(place: int) -> None:
    flipped = SEALED[:place] + bytes([SEALED[place] ^ 1]) + SEALED[place + 1 :]
    with pytest.raises(VaultError):
        open_with_passphrase(Kind.REGISTRATION, PASSPHRASE, flipped)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ((1, ord("R"), 31, 8, 1), "asks for work"),
        ((1, ord("R"), 17, 255, 1), "asks for work"),
        ((1, ord("R"), 17, 8, 255), "asks for work"),
        ((1, ord("R"), 0, 8, 1), "asks for work"),
        ((1, ord("K"), 17, 8, 1), "another kind"),
        ((2, ord("R"), 17, 8, 1), "format version 2"),
    ],
)
def test_cost_and_kind_are_judged_before_anything_is_computed(
    parameters: tuple[int, ...], sentence: str
) -> None:
    """A gigabyte of scrypt would end the process; it is not begun."""
    with pytest.raises(PassphraseError, match=sentence):
        read_export(SEALED[:8] + struct.pack("5B", *parameters) + SEALED[13:], PASSPHRASE)


def test_size_wrong_and_weak_passphrases_are_told_in_a_sentence() -> None:
    with pytest.raises(DomainError, match="larger than any export"):
        read_export(SEALED + b"x" * FILE_BYTES_MAX, PASSPHRASE)
    with pytest.raises(PassphraseError, match="The passphrase does not open this file"):
        read_export(SEALED, "another passphrase")
    with pytest.raises(PassphraseError, match="fewer than 12 characters"):
        seal_with_passphrase(Kind.REGISTRATION, "elevenchars", b"")
    with pytest.raises(DomainError, match="does not hold a registration"):
        read_export(SEALED, PASSPHRASE)


def test_a_passphrase_is_the_same_however_it_was_typed() -> None:
    """An accent is one character on one keyboard and two on another."""
    sealed = seal_with_passphrase(Kind.REGISTRATION, "caf\u00e9 at the harbor", b"x")
    assert open_with_passphrase(Kind.REGISTRATION, "cafe\u0301 at the harbor", sealed) == b"x"


@settings(max_examples=examples(200), deadline=None)
@given(st.binary(max_size=400) | st.binary(max_size=400).map(lambda tail: SEALED[:12] + tail[:20]))
def test_invented_files_are_refused_in_a_sentence(content: bytes) -> None:
    with pytest.raises((VaultError, DomainError)):
        read_export(content, "short")  # so that none of them costs half a second


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=examples(200), deadline=None)
@given(st.data())
def test_invented_content_is_refused_in_a_sentence(data: st.DataObject) -> None:
    """Whoever knows the passphrase may still write nonsense."""
    whole = json.loads(WHOLE)
    name = data.draw(st.sampled_from(sorted(whole)))
    whole[name] = data.draw(_JSON)
    with contextlib.suppress(DomainError):
        again = from_bytes(json.dumps(whole).encode())
        assert json.loads(to_bytes(again)).keys() == whole.keys()


WHOLE = json.dumps(
    {
        "format": "credmgr-registration",
        "version": 1,
        "display_name": "Worker",
        "notes": "",
        "sign_in_audience": "AzureADMyOrg",
        "client_id": "6f2f4a6e-9f2c-4d0b-8a51-1c6f3f0a7e11",
        "identifier_uri": "",
        "is_disabled": False,
        "access_token_version": 2,
        "app_role_assignment_required": False,
        "includes_idtyp": False,
        "authority_kind": "built-in",
        "authority_url": "",
        "external_client_id": "",
        "exported_at": "2026-11-23T14:52:06+00:00",
        "left_behind": [],
        "roles": [],
        "permissions": [],
        "secrets": [],
        "certificates": [],
        "federated": [],
    }
)


def test_by_command(full: tuple[Application, str], tmp_path: Path) -> None:
    app, value = full
    phrase, file = tmp_path / "phrase", tmp_path / "worker.sealed"
    phrase.write_text(f"{PASSPHRASE}\n")
    arguments = [str(app.client_id), str(file), "--passphrase-file", str(phrase)]

    def run(*command: str) -> str:
        out = io.StringIO()
        call_command(*command, stdout=out, stderr=io.StringIO())
        return out.getvalue()

    assert value not in run("export_app", *arguments)
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CommandError, match="was not made: File exists"):
        run("export_app", *arguments)
    again = ["import_app", str(file), "--passphrase-file", str(phrase)]
    with pytest.raises(CommandError, match="is here already"):
        run(*again, "--keep-client-id")
    done = json.loads(run(*again, "--without-identifier-uri", "--json"))
    assert done["appId"] != str(app.client_id)
    phrase.write_text("short")
    with pytest.raises(CommandError, match="fewer than 12"):
        run("export_app", str(app.client_id), str(tmp_path / "other"), "--passphrase-file", str(phrase))
    assert not (tmp_path / "other").exists()
