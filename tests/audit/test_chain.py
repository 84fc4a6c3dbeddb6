"""The chain of audit rows: every way to tamper with it is refused, or found and placed (D-4 to D-6)."""

import io
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import Error as DatabaseFailure
from django.db import connection, transaction

from credmgr.audit.chain import INSTALLATION, adopt_older_rows, hash_of
from credmgr.audit.events import EventTag
from credmgr.audit.guards import GUARDS
from credmgr.audit.models import AuditChain, AuditEvent, AuditKey
from credmgr.audit.recording import Actor, record_event
from credmgr.vault.rotation import rotate
from credmgr.vault.sealing import open_from
from tests.factories import NOW
from tests.vault.conftest import RingFile, key_line, ring_file  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.database]
TENANT = uuid.UUID("9a1f1aa4-ba53-4474-9c4b-39bc906bfc3a")
COMMAND = Actor.command()


def record(number: int, tenant: uuid.UUID | None = TENANT, **given: Any) -> AuditEvent:
    """One act."""
    return record_event(
        EventTag.SECRET_ADDED,
        actor=COMMAND,
        now=NOW + timedelta(seconds=number),
        tenant_id=tenant,
        object_id=number,
        object_name=f"secret {number}",
        changes={"endDateTime": [None, "2027-01-01"], "verifyOnly": [None, False]},
        **given,
    )


def verify() -> dict[str, Any]:
    """The command's answer, whatever its exit code."""
    out = io.StringIO()
    failed = False
    try:
        call_command("verify_audit", "--json", stdout=out)
    except CommandError:
        failed = True
    answer: dict[str, Any] = json.loads(out.getvalue())
    assert answer["intact"] is not failed
    assert failed == bool(found(answer))
    return answer


def found(answer: dict[str, Any]) -> list[tuple[str, int | None]]:
    """(code, position) of everything that was found."""
    general = [(each["code"], each["position"]) for each in answer["findings"]]
    return general + [
        (each["code"], each["position"]) for chain in answer["chains"] for each in chain["findings"]
    ]


@pytest.fixture
def ten() -> Iterator[list[AuditEvent]]:
    """Ten acts in a directory and two of the installation; for a vandal the triggers are no obstacle."""
    rows = [record(number) for number in range(1, 11)]
    record(100, None)
    record(101, None)
    GUARDS.remove(connection)
    yield rows
    GUARDS.make(connection)


def tampered() -> list[tuple[str, int | None]]:
    """What is found once the triggers are back, as a careful vandal would leave them."""
    GUARDS.make(connection)
    return found(verify())


def rows_of(position: int) -> Any:
    """The row at that place."""
    return AuditEvent.objects.filter(chain=TENANT, position=position)


# ---------------------------------------------------------------- as it is written


def test_rows_follow_each_other_in_chains_of_their_own() -> None:
    for number in range(3):
        record(number)
        record(number, None)
    for chain in (TENANT, INSTALLATION):
        rows = list(AuditEvent.objects.filter(chain=chain).order_by("sequence"))
        assert [row.position for row in rows] == [1, 2, 3]
        end = AuditChain.objects.get(pk=chain)
        assert (end.length, bytes(end.head)) == (3, bytes(rows[-1].hash or b""))
    answer = verify()
    assert [(chain["entries"], chain["checked"]) for chain in answer["chains"]] == [(3, 3), (3, 3)]


def test_the_hash_is_the_documented_one() -> None:
    """HMAC-SHA256(key, hash before | canonical JSON), from the stored row alone."""
    first, second = record(1), record(2)
    key = open_from(AuditKey.objects.get(chain=TENANT), "key")
    stored = AuditEvent.objects.get(pk=second.pk)
    assert hash_of(key, bytes(first.hash or b""), stored) == bytes(stored.hash or b"")


def test_an_act_that_fails_leaves_no_row_and_no_gap() -> None:
    record(1)
    with transaction.atomic():
        record(2)
        transaction.set_rollback(True)
    assert record(3).position == 2
    assert found(verify()) == []


def test_what_people_type_stands_in_it_without_control_characters() -> None:
    """D-7, and PostgreSQL takes no NUL."""
    row = record_event(
        EventTag.SIGNED_IN,
        actor=Actor(name="Rob\nin\0\u202e"),
        now=NOW,
        object_name="a\r\nb\ud800",
        changes={"notes": ["", "line\none\u2028two"], "number": [0, 7], "share": [0, 0.5]},
    )
    stored = AuditEvent.objects.get(pk=row.pk)
    assert (stored.actor_name, stored.object_name) == (r"Rob\nin\x00\u202e", r"a\r\nb\ud800")
    assert stored.changes == {"notes": ["", r"line\none\u2028two"], "number": [0, 7], "share": [0, "0.5"]}
    assert found(verify()) == []


@pytest.mark.django_db(transaction=True)
def test_parallel_writers_give_one_chain_without_gaps() -> None:
    start = threading.Barrier(8)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            start.wait()
            for turn in range(6):
                with transaction.atomic():
                    record(number * 10 + turn)
                    record(number * 10 + turn, None)
        except BaseException as error:  # noqa: BLE001 - shown below
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for chain in (TENANT, INSTALLATION):
        positions = AuditEvent.objects.filter(chain=chain).order_by("position")
        assert list(positions.values_list("position", flat=True)) == list(range(1, 49))
    assert found(verify()) == []


# ---------------------------------------------------------------- tampering

CHANGES: dict[str, Any] = {
    "at": NOW + timedelta(days=1),
    "tenant_id": uuid.uuid4(),
    "application_id": uuid.uuid4(),
    "actor_id": uuid.uuid4(),
    "actor_name": "Somebody else",
    "address": "10.0.0.1",
    "tag": EventTag.SECRET_DELETED.value,
    "object_type": "other",
    "object_id": "other",
    "object_name": "other",
    "succeeded": False,
    "changes": {"endDateTime": [None, "2026-01-01"], "verifyOnly": [None, False]},
    "correlation_id": uuid.uuid4(),
}


def test_every_column_is_sealed() -> None:
    sealed = {field.attname for field in AuditEvent._meta.concrete_fields}
    assert sealed - set(CHANGES) == {"sequence", "chain", "position", "hash"}


@pytest.mark.parametrize("column", CHANGES)
def test_a_changed_row_is_found(ten: list[AuditEvent], column: str) -> None:
    assert rows_of(4).update(**{column: CHANGES[column]}) == 1
    assert tampered() == [("changed", 4)]


def test_a_changed_hash_is_found(ten: list[AuditEvent]) -> None:
    rows_of(4).update(hash=bytes(32))
    assert tampered() == [("changed", 4), ("changed", 5)]


@pytest.mark.parametrize(("first", "last"), [(4, 4), (1, 1), (3, 7)])
def test_removed_rows_are_found(ten: list[AuditEvent], first: int, last: int) -> None:
    AuditEvent.objects.filter(chain=TENANT, position__range=(first, last)).delete()
    assert tampered() == [("missing", first)]


def test_a_removed_row_with_the_others_moved_up_is_found(ten: list[AuditEvent]) -> None:
    rows_of(4).delete()
    for position in range(5, 11):
        rows_of(position).update(position=position - 1)
    AuditChain.objects.filter(pk=TENANT).update(length=9)
    assert ("changed", 4) in tampered()


@pytest.mark.parametrize("place", [11, 0, None])
def test_an_added_row_is_found(ten: list[AuditEvent], place: int | None) -> None:
    copy = AuditEvent.objects.get(pk=ten[3].pk)
    copy.pk, copy.position = None, place
    if place is None:
        copy.chain = copy.hash = None
    copy.save(force_insert=True)
    assert tampered() == [("added", place) if place is not None else ("unsealed", None)]


def test_an_added_row_with_a_new_end_is_found(ten: list[AuditEvent]) -> None:
    forged = AuditEvent.objects.get(pk=ten[3].pk)
    forged.pk, forged.position = None, 11
    forged.save(force_insert=True)
    AuditChain.objects.filter(pk=TENANT).update(length=11, head=forged.hash)
    assert set(tampered()) == {("changed", 11), ("end", None)}


def test_exchanged_rows_are_found(ten: list[AuditEvent]) -> None:
    """Their places, and the order in which pages show them."""
    rows_of(4).update(position=99)
    rows_of(5).update(position=4)
    rows_of(99).update(position=5)
    assert {("changed", 4), ("changed", 5)} <= set(tampered())


def test_exchanged_sequences_are_found(ten: list[AuditEvent]) -> None:
    first, second = ten[3].pk, ten[4].pk
    AuditEvent.objects.filter(pk=first).update(sequence=10**9)
    AuditEvent.objects.filter(pk=second).update(sequence=first)
    AuditEvent.objects.filter(pk=10**9).update(sequence=second)
    assert ("order", 5) in tampered()


def test_a_row_of_another_chain_is_found(ten: list[AuditEvent]) -> None:
    rows_of(10).delete()
    AuditEvent.objects.filter(chain=INSTALLATION, position=2).update(chain=TENANT, position=10)
    assert set(tampered()) == {("missing", 2), ("changed", 10), ("end", None)}


def test_a_cut_tail_is_found(ten: list[AuditEvent]) -> None:
    AuditEvent.objects.filter(chain=TENANT, position__gt=7).delete()
    assert tampered() == [("missing", 8)]


def test_a_cut_tail_with_the_end_set_back_is_found(ten: list[AuditEvent]) -> None:
    AuditEvent.objects.filter(chain=TENANT, position__gt=7).delete()
    AuditChain.objects.filter(pk=TENANT).update(length=7, head=rows_of(7).get().hash)
    assert tampered() == [("end", None)]


@pytest.mark.parametrize("column", ["head", "seal"])
def test_a_changed_end_is_found(ten: list[AuditEvent], column: str) -> None:
    AuditChain.objects.filter(pk=TENANT).update(**{column: bytes(32)})
    assert ("end", None) in tampered()


def test_a_chain_without_its_end_is_found(ten: list[AuditEvent]) -> None:
    AuditChain.objects.filter(pk=TENANT).delete()
    assert ("chain_gone", None) in tampered()


def test_a_chain_that_is_gone_altogether_is_found_by_its_key(ten: list[AuditEvent]) -> None:
    AuditChain.objects.filter(pk=TENANT).delete()
    AuditEvent.objects.filter(chain=TENANT).delete()
    assert tampered() == [("chain_gone", None)]


def test_a_key_of_a_vandal_opens_nothing(ten: list[AuditEvent]) -> None:
    """The sealed key of another chain, moved here: the envelope is bound to its row."""
    other = AuditKey.objects.get(chain=INSTALLATION)
    AuditKey.objects.filter(chain=TENANT).update(key=other.key)
    codes = tampered()
    assert codes[0] == ("key", None)
    assert len(codes) == 11


# ---------------------------------------------------------------- the triggers

REFUSED: dict[str, Callable[[], object]] = {
    "update": lambda: AuditEvent.objects.update(actor_name="x"),
    "delete": lambda: AuditEvent.objects.all().delete(),
    "shorter": lambda: AuditChain.objects.update(length=0),
    "no end": lambda: AuditChain.objects.all().delete(),
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_database_refuses_to_change_or_remove(what: str) -> None:
    """D-6, on both databases, whoever asks."""
    record(1)
    with (
        pytest.raises(DatabaseFailure, match="audit rows are never changed or removed"),
        transaction.atomic(),
    ):
        REFUSED[what]()
    assert AuditEvent.objects.get().actor_name == COMMAND.name
    assert found(verify()) == []


def test_missing_triggers_are_found() -> None:
    record(1)
    GUARDS.remove(connection)
    answer = verify()
    assert {code for code, _ in found(answer)} == {"guard_missing"}
    GUARDS.make(connection)
    assert GUARDS.missing(connection) == []


# ---------------------------------------------------------------- keys and older rows


def test_rows_of_an_older_version_are_sealed_once() -> None:
    for _ in range(3):
        AuditEvent.objects.create(at=NOW, tenant_id=TENANT, actor_name="Robin", tag="old")
        AuditEvent.objects.create(at=NOW, actor_name="Robin", tag="old")
    assert adopt_older_rows(NOW) == 6
    record(1)
    assert [row.position for row in AuditEvent.objects.filter(chain=TENANT).order_by("sequence")] == [
        1,
        2,
        3,
        4,
    ]
    assert found(verify()) == []
    AuditEvent.objects.create(at=NOW, tenant_id=TENANT, actor_name="Vandal", tag="new")
    assert adopt_older_rows(NOW) == 0
    assert found(verify()) == [("unsealed", None)]


def test_with_the_vault_key_gone_acts_go_on_and_the_check_says_so(ring_file: RingFile) -> None:  # noqa: F811
    """K-7: the act is recorded under a new key; what the old one sealed can be checked when it is back."""
    old, new = key_line(), key_line()
    ring_file.write(old)
    record(1)
    record(2)
    ring_file.write(new)
    record(3)
    codes = found(verify())
    assert set(codes) == {("key", None), ("key", 1), ("key", 2)}
    ring_file.write(new, old)
    record(4)
    assert found(verify()) == []


def test_the_keys_follow_a_rotation_of_the_vault(ring_file: RingFile) -> None:  # noqa: F811
    """R5: sealed anew under the new vault key, and the same keys."""
    old, new = key_line(), key_line()
    ring_file.write(old)
    record(1)
    record(2, None)
    report = rotate(ring_file.write(new, old))
    assert (report.resealed, report.unreadable, report.left) == (2, [], [])
    ring_file.write(new)
    record(3)
    assert found(verify()) == []
    assert AuditKey.objects.count() == 2


def test_the_command_tells_people_where(ten: list[AuditEvent]) -> None:
    rows_of(4).update(actor_name="x")
    GUARDS.make(connection)
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("verify_audit", stdout=out)
    assert "Entry 4 is not as it was written." in out.getvalue()
    assert "Installation: 2 entries" in out.getvalue()
