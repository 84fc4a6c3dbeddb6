"""docs/reliability.md has every fault once: what is seen, promised and done, and tests that exist."""

from tests import documented

DOCUMENT = documented.ROOT / "docs" / "reliability.md"
FAULTS = [
    "kill -9 of workers and server in mid-write",
    "maintenance killed",
    "rotation of the key ring killed",
    "restore killed",
    "damaged backup file",
    "full disk",
    "read-only disk at the start",
    "disk that turns read-only under a running server",
    "data folder that may not be written any more",
    "locked database",
    "table gone and back",
    "trigger taken out of the database",
    "PostgreSQL gone and back",
    "deadlock or conflict of transactions",
    "clock that jumps by an hour, forth or back",
    "damaged sealed value",
    "sealed value under an unknown key",
    "half-written key ring",
    "missing or wrong key ring",
    "local certificate near its end, lost or damaged",
    "slow or dead issuer of a federated credential",
    "slow or dead token endpoint under test",
    "receiver of the audit away",
]


def test_every_fault_stands_there_once() -> None:
    assert [row[0] for row in documented.rows(DOCUMENT.read_text())] == FAULTS


def test_every_fault_has_words_and_tests_that_exist() -> None:
    for fault, seen, promise, recovery, cell in documented.rows(DOCUMENT.read_text()):
        named = documented.NAMED.findall(cell)
        assert all((seen, promise, recovery)), fault
        assert named, fault
        assert set(named) - documented.tests() == set(), fault
        assert cell.count("::") == len(named), f"{fault}: a name of another form"
