"""Rotation, inventory, checks and the page that says 503 (K-5 to K-7)."""

import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import checks
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django.fixtures import Settings

from credmgr.accounts.models import User
from credmgr.audit.models import AuditEvent, AuditKey
from credmgr.credentials.client_secrets import match_secret
from credmgr.credentials.models import ClientSecret
from credmgr.urls import urlpatterns as own_urlpatterns
from credmgr.vault import rotation
from credmgr.vault.envelope import key_id_of
from credmgr.vault.errors import UnknownKeyError
from credmgr.vault.fields import SealedField, VerifierField
from credmgr.vault.inventory import rows_per_key, take_inventory, vault_columns
from credmgr.vault.rotation import Progress, rotate, unused_keys
from credmgr.vault.sealing import open_from
from tests.database import embedded_only
from tests.factories import NOW, administrator, application, secret
from tests.installation import ROOT
from tests.vault.conftest import RingFile, key_line, key_of

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("today")]


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    """The day of the factories, so that what expires here expires always."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


OLD, NEW = key_line(), key_line()
OLD_ID, NEW_ID = key_of(OLD).key_id, key_of(NEW).key_id


def fill(number: int = 5, **given: Any) -> dict[ClientSecret, str]:
    """Secrets with their values, and no other sealed value: the audit's keys are a test's of their own."""
    app = application()
    made = dict(secret(app, **given) for _ in range(number))
    AuditKey.objects.all().delete()
    return made


def assert_all_work(made: dict[ClientSecret, str]) -> None:
    """Every value opens, every digest matches its own value and no other."""
    rows = list(ClientSecret.objects.all())
    for row in rows:
        text = made[row]
        if row.value is not None:
            assert open_from(row, "value") == text.encode()
        assert match_secret(rows, text, NOW).secret == row
    assert match_secret(rows, "something else", NOW).secret is None


def run(*arguments: str) -> Any:
    """The command's JSON."""
    out, err = io.StringIO(), io.StringIO()
    call_command("rotate_vault_key", "--json", *arguments, stdout=out, stderr=err)
    return json.loads(out.getvalue())


# ---------------------------------------------------------------- finding what to rotate
def test_every_sealed_column_of_every_model_is_found() -> None:
    found = {(model.__name__, field.name) for model, fields in vault_columns() for field in fields}
    assert found >= {
        ("ClientSecret", "value"),
        ("ClientSecret", "verifier"),
        ("Certificate", "der"),
        ("Certificate", "private_key"),
        ("SigningKey", "private_key"),
        ("LocalAuthority", "private_key"),
        ("LocalAuthority", "leaf_password"),
    }


def test_check_vault_looks_at_every_sealed_field_that_any_module_declares(ring_file: RingFile) -> None:
    """K-5: found by itself, not by a list. What the sources declare is what the command goes through."""
    ring_file.write(OLD)
    declared = sum(
        len(re.findall(r"^    \w+ = (?:SealedField|VerifierField)\(", file.read_text(), re.MULTILINE))
        for file in (ROOT / "credmgr").rglob("*.py")
        if "migrations" not in file.parts
    )
    out = io.StringIO()
    call_command("check_vault", "--json", stdout=out, stderr=io.StringIO())
    assert declared >= 7
    assert len(json.loads(out.getvalue())["columns"]) == declared


def test_places_are_unique_so_that_no_two_columns_share_associated_data() -> None:
    places = [f.place for _, fields in vault_columns() for f in fields if isinstance(f, SealedField)]
    assert len(places) == len(set(places))
    assert all(table and column for table, column in places)


def test_digests_know_their_value_and_their_end() -> None:
    for model, fields in vault_columns():
        for field in fields:
            if isinstance(field, VerifierField):
                assert isinstance(model._meta.get_field(field.value_column), SealedField)
                assert model._meta.get_field(field.expires_column)


# ---------------------------------------------------------------- K-6
def test_k6_everything_is_under_the_first_key_afterwards(ring_file: RingFile) -> None:
    ring_file.write(OLD)
    made = fill()
    ring = ring_file.write(NEW, OLD)
    report = rotate(ring)
    assert (report.key_id, report.resealed, report.verifiers_renewed) == (NEW_ID, 5, 5)
    assert (report.left, report.waiting, report.unreadable) == ([], [], [])
    assert rows_per_key(take_inventory()) == {NEW_ID: 10}
    ring_file.write(NEW)
    assert_all_work(made)


def test_k6_every_step_leaves_every_worker_working(ring_file: RingFile) -> None:
    ring_file.write(OLD)
    made = fill(3)
    for lines in ((OLD, NEW), (NEW, OLD)):
        ring = ring_file.write(*lines)
        assert_all_work(made)
        made |= fill(2)
    for _ in (1, 2):
        rotate(ring, batch_rows=2)
        assert_all_work(made)
    ring_file.write(NEW)
    assert_all_work(made)


def test_k6_a_second_run_finds_nothing_to_do(ring_file: RingFile) -> None:
    ring_file.write(OLD)
    fill()
    ring = ring_file.write(NEW, OLD)
    rotate(ring)
    before = list(ClientSecret.objects.order_by("pk").values())
    report = rotate(ring)
    assert (report.resealed, report.verifiers_renewed) == (0, 0)
    assert list(ClientSecret.objects.order_by("pk").values()) == before


def test_k6_interrupted_between_batches_and_resumed(ring_file: RingFile) -> None:
    ring_file.write(OLD)
    made = fill(7)
    ring = ring_file.write(NEW, OLD)

    def stop(progress: Progress) -> None:
        if progress.done >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(ring, report_progress=stop, batch_rows=1)
    assert rows_per_key(take_inventory()) == {NEW_ID: 6, OLD_ID: 8}
    assert_all_work(made)
    report = rotate(ring)
    assert (report.resealed, report.verifiers_renewed) == (4, 4)
    assert_all_work(made)


def test_k6_a_row_changed_or_deleted_meanwhile_is_not_overwritten(
    ring_file: RingFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another rotation, a deletion and an edit come between reading and writing of one batch."""
    ring_file.write(OLD)
    made = fill(3)
    ring = ring_file.write(NEW, OLD)
    rotated, deleted, edited = list(ClientSecret.objects.order_by("pk"))
    other_run: dict[str, Any] = {}
    write = rotation._write

    def meanwhile(model: type[Model], changes: list[Any]) -> int:
        if not other_run:
            other_run["started"] = True
            deleted.delete()
            ClientSecret.objects.filter(pk=edited.pk).update(value=None)
            other_run["report"] = rotate(ring)
            other_run["value"] = ClientSecret.objects.get(pk=rotated.pk).value
        return write(model, changes)

    monkeypatch.setattr(rotation, "_write", meanwhile)
    report = rotate(ring)
    assert other_run["report"].resealed == 1
    assert ClientSecret.objects.get(pk=rotated.pk).value == other_run["value"]
    assert ClientSecret.objects.get(pk=edited.pk).value is None
    assert not ClientSecret.objects.filter(pk=deleted.pk).exists()
    assert report.changed_meanwhile == 5
    assert_all_work(made)


def test_k6_verify_only_digests_keep_their_key_and_the_report_says_until_when(ring_file: RingFile) -> None:
    ring_file.write(OLD)
    made = fill(2, verify_only=True, days=30) | fill(1, verify_only=True, days=90) | fill(1)
    ring_file.write(NEW, OLD)
    answer = run("--drop-unused")
    until = (NOW + timedelta(days=90)).isoformat()
    assert answer["waiting"] == [
        {"keyId": OLD_ID.hex(), "table": "credentials_clientsecret", "rows": 3, "until": until}
    ]
    assert (answer["verifiersRenewed"], answer["dropped"], answer["retiredVerifiers"]) == (1, [], 0)
    assert_all_work(made)


def test_k6_expired_verify_only_digests_free_their_key_only_when_it_is_dropped(ring_file: RingFile) -> None:
    ring_file.write(OLD)
    made = fill(1, verify_only=True, days=-10, age=100)
    ring_file.write(NEW, OLD)
    assert run()["waiting"][0]["rows"] == 1
    text = next(iter(made.values()))
    assert match_secret(list(ClientSecret.objects.all()), text, NOW).kind == "expired"
    answer = run("--drop-unused")
    assert (answer["retiredVerifiers"], answer["dropped"]) == (1, [OLD_ID.hex()])
    assert match_secret(list(ClientSecret.objects.all()), text, NOW).kind == "none"


def test_a_digest_is_renewed_even_when_only_its_own_key_is_lost(ring_file: RingFile) -> None:
    """The value opens, so the digest can be made anew; what needs the lost key is only the digest."""
    lost = key_line()
    ring_file.write(OLD)
    made = fill(1)
    ring_file.write(lost)
    other = fill(1)
    row = next(iter(made))
    ClientSecret.objects.filter(pk=row.pk).update(verifier=next(iter(other)).verifier)
    ClientSecret.objects.exclude(pk=row.pk).delete()
    ring = ring_file.write(NEW, OLD)
    rotate(ring)
    assert_all_work(made)


def test_unreadable_values_are_reported_left_alone_and_do_not_stop_the_rest(ring_file: RingFile) -> None:
    ring_file.write(OLD)
    made = fill(3)
    victim = ClientSecret.objects.order_by("pk")[1]
    broken = bytes(victim.value)[:-1] + bytes([bytes(victim.value)[-1] ^ 1])
    ClientSecret.objects.filter(pk=victim.pk).update(value=broken)
    ring_file.write(NEW, OLD)
    out = io.StringIO()
    with pytest.raises(CommandError, match="2 values could not be opened and were left as they are"):
        call_command("rotate_vault_key", "--json", "--drop-unused", stdout=out, stderr=io.StringIO())
    answer = json.loads(out.getvalue())
    assert answer["resealed"] == 2
    assert {each["row"] for each in answer["unreadable"]} == {str(victim.pk)}
    assert answer["dropped"] == []
    stored = ClientSecret.objects.get(pk=victim.pk)
    assert bytes(stored.value) == broken
    made.pop(victim)
    stored.delete()
    assert_all_work(made)


def test_only_keys_that_nothing_names_are_dropped(ring_file: RingFile) -> None:
    spare = key_line()
    ring_file.write(OLD)
    fill(1)
    ring = ring_file.write(NEW, OLD, spare)
    assert unused_keys(ring) == [key_of(spare).key_id], "the first key is never unused"
    answer = run("--drop-unused")
    assert set(answer["dropped"]) == {OLD_ID.hex(), key_of(spare).key_id.hex()}
    assert ring_file.path.read_text() == f"{NEW}\n"
    rows = AuditEvent.objects.filter(tag__startswith="vault:").order_by("sequence")
    tags = list(rows.values_list("tag", "changes__state__1"))
    assert tags == [
        ("vault:key:rotated", "started"),
        ("vault:key:rotated", "finished"),
        ("vault:key:dropped", None),
        ("vault:key:dropped", None),
    ]


def test_progress_is_told_per_batch(ring_file: RingFile) -> None:
    ring_file.write(OLD)
    fill(5)
    ring_file.write(NEW, OLD)
    out, err = io.StringIO(), io.StringIO()
    call_command("rotate_vault_key", "--batch", "2", stdout=out, stderr=err)
    assert [line.rpartition(": ")[2] for line in err.getvalue().splitlines()] == [
        "2 of 5 rows",
        "4 of 5 rows",
        "5 of 5 rows",
    ]
    assert out.getvalue() == f"Key {NEW_ID.hex()} is in charge: 5 values sealed anew, 5 digests renewed.\n"
    assert OLD not in out.getvalue() + err.getvalue()


def test_the_three_steps_by_command(ring_file: RingFile) -> None:
    ring_file.write(OLD)
    made = fill(2)
    out = io.StringIO()
    call_command("generate_vault_key", "--append", "--json", stdout=out)
    key_id = json.loads(out.getvalue())["keyId"]
    assert_all_work(made)
    answer = run("--first", key_id, "--drop-unused")
    assert (answer["keyId"], answer["dropped"]) == (key_id, [OLD_ID.hex()])
    assert_all_work(made)
    assert AuditEvent.objects.get(tag="vault:key:added").object_id == key_id


def test_generate_prints_a_key_that_a_ring_takes() -> None:
    out = io.StringIO()
    call_command("generate_vault_key", stdout=out)
    assert key_of(out.getvalue().strip()).key_id
    assert not AuditEvent.objects.exists()


def test_generate_first_seals_from_then_on(ring_file: RingFile) -> None:
    ring_file.write(OLD)
    out = io.StringIO()
    call_command("generate_vault_key", "--first", stdout=out)
    added = ring_file.path.read_text().splitlines()[0]
    assert key_of(added).key_id.hex() in out.getvalue()
    assert added not in out.getvalue()
    row, _ = next(iter(fill(1).items()))
    assert key_id_of(bytes(row.value)) == key_of(added).key_id


def test_commands_say_what_they_cannot_do(ring_file: RingFile, monkeypatch: pytest.MonkeyPatch) -> None:
    ring_file.write(OLD)
    for arguments, sentence in (
        (["rotate_vault_key", "--first", "xyz"], "16 hexadecimal digits"),
        (["rotate_vault_key", "--first", NEW_ID.hex()], f"no key with the id {NEW_ID.hex()}"),
        (["rotate_vault_key", "--batch", "0"], "at least 1"),
    ):
        with pytest.raises(CommandError, match=sentence):
            call_command(*arguments, stderr=io.StringIO())
    monkeypatch.delenv("CREDMGR_KEYRING_FILE")
    monkeypatch.setenv("CREDMGR_KEYRING", OLD)
    for arguments in (["generate_vault_key", "--append"], ["rotate_vault_key", "--drop-unused"]):
        with pytest.raises(CommandError, match="comes from CREDMGR_KEYRING"):
            call_command(*arguments, stdout=io.StringIO(), stderr=io.StringIO())


# ---------------------------------------------------------------- K-5
def check(tag: str = "") -> list[str]:
    found = checks.run_checks(tags=[tag] if tag else None, databases=["default"])
    return [f"{each.id}: {each.msg}" for each in found if str(each.id).startswith("vault.")]


def test_k5_silent_when_all_is_well(ring_file: RingFile) -> None:
    ring_file.write(OLD)
    fill(1)
    assert check() == []


def test_k5_names_the_missing_key_and_how_many_rows(ring_file: RingFile) -> None:
    ring_file.write(OLD)
    fill(3)
    ring_file.write(NEW)
    assert check() == [
        f"vault.E002: The key {OLD_ID.hex()} is not in the key ring, but 6 stored values name it, "
        "in credentials_clientsecret."
    ]


@pytest.mark.parametrize(
    ("lines", "mode", "sentence"),
    [
        (None, 0o600, "does not exist"),
        ([OLD], 0o644, "can be read by others"),
        (["nonsense!"], 0o600, "is not base64url"),
        ([], 0o600, "holds no key"),
    ],
)
def test_k2_k3_a_ring_that_cannot_be_used_stops_the_start(
    ring_file: RingFile, lines: list[str] | None, mode: int, sentence: str
) -> None:
    if lines is not None:
        ring_file.path.write_text("".join(f"{line}\n" for line in lines))
        ring_file.path.chmod(mode)
    found = checks.run_checks(databases=["default"])
    mine = [each for each in found if str(each.id).startswith("vault.")]
    assert [each.id for each in mine] == ["vault.E001"]
    assert sentence in mine[0].msg
    assert mine[0].hint
    assert mine[0].is_serious()


def test_k1_two_sources_stop_the_start(ring_file: RingFile, monkeypatch: pytest.MonkeyPatch) -> None:
    ring_file.write(OLD)
    monkeypatch.setenv("CREDMGR_KEYRING", OLD)
    assert "Two sources" in check("vault")[0]


@embedded_only
def test_before_the_first_start_nothing_is_missing(
    settings: Settings, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`manage.py makemigrations` and the like work in a fresh checkout."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setitem(connections.databases["default"], "NAME", str(tmp_path / "none"))
    assert check("vault") == []


def test_check_vault_reports_every_bad_value(ring_file: RingFile) -> None:
    ring_file.write(OLD)
    rows = list(fill(4))
    out, progress = io.StringIO(), io.StringIO()
    call_command("check_vault", stdout=out, stderr=progress)
    assert "credentials_clientsecret.value: 4 of 4 values" in progress.getvalue()
    assert "credentials_clientsecret.value: 4 good, 0 bad" in out.getvalue()
    assert f"{OLD_ID.hex()}  seals and opens, named by 8 values" in out.getvalue()
    # Two values exchanged: each is good somewhere else.
    ClientSecret.objects.filter(pk=rows[0].pk).update(value=rows[1].value, verifier=rows[1].verifier)
    # A digest of something else beside a good value.
    ClientSecret.objects.filter(pk=rows[2].pk).update(verifier=rows[3].verifier)
    out = io.StringIO()
    with pytest.raises(CommandError, match="3 of 8 values are not as they must be"):
        call_command("check_vault", "--json", stdout=out, stderr=io.StringIO())
    columns = {each["column"]: each for each in json.loads(out.getvalue())["columns"] if each["bad"]}
    assert [each["row"] for each in columns["value"]["bad"]] == [str(rows[0].pk)]
    assert {each["row"] for each in columns["verifier"]["bad"]} == {str(rows[0].pk), str(rows[2].pk)}


def test_check_vault_names_keys_that_are_missing(ring_file: RingFile) -> None:
    ring_file.write(OLD)
    made = fill(1)
    ring_file.write(NEW)
    out = io.StringIO()
    with pytest.raises(CommandError, match="2 of 2 values"):
        call_command("check_vault", stdout=out, stderr=io.StringIO())
    assert f"{OLD_ID.hex()}  MISSING from the key ring, named by 2 values" in out.getvalue()
    assert next(iter(made.values())) not in out.getvalue()
    with pytest.raises(UnknownKeyError):
        open_from(ClientSecret.objects.get(), "value")


# ---------------------------------------------------------------- K-7
@pytest.fixture
def signed_in(ring_file: RingFile) -> Client:
    """Somebody in the portal."""
    ring_file.write(OLD)
    client = Client(raise_request_exception=False)
    client.force_login(administrator(User.objects.create_user("robin")))
    return client


def broken_page(request: HttpRequest) -> HttpResponse:
    """Stands for every page that opens a value."""
    return HttpResponse(open_from(ClientSecret.objects.get(), "value"))


urlpatterns = [*own_urlpatterns, path("broken", broken_page)]


@pytest.fixture
def broken_address(settings: Settings) -> str:
    """The address of a page that opens the one secret."""
    settings.ROOT_URLCONF = __name__
    return "/broken"


def test_k7_an_unknown_key_is_503_with_an_audit_row(
    ring_file: RingFile, signed_in: Client, broken_address: str
) -> None:
    ring_file.write(OLD)
    made = fill(1)
    ring_file.write(NEW)
    for _ in range(3):
        answer = signed_in.get(broken_address)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert answer.headers["Cache-Control"] == "no-store"
        page = answer.content.decode()
        assert "Traceback" not in page
        assert next(iter(made.values())) not in page
    event = AuditEvent.objects.get(tag="vault:key:unknown")  # one, however often the page is reloaded
    assert (event.object_id, event.succeeded, event.actor_name) == (OLD_ID.hex(), False, "robin")
    ring_file.write(NEW, OLD)
    assert next(iter(made.values())).encode() == open_from(ClientSecret.objects.get(), "value")


def test_k7_a_damaged_value_is_503_without_that_row(
    ring_file: RingFile, signed_in: Client, broken_address: str
) -> None:
    ring_file.write(OLD)
    (one, _), (two, _) = fill(2).items()
    ClientSecret.objects.filter(pk=one.pk).update(value=two.value)
    two.delete()
    assert signed_in.get(broken_address).status_code == 503
    assert not AuditEvent.objects.filter(tag="vault:key:unknown").exists()
