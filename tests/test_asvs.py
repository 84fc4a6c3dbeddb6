"""docs/asvs.md says of every requirement once how it stands, and every test that it names exists."""

from collections import Counter

import pytest

from tests import documented

LEVELS = documented.ROOT / "tests" / "vectors" / "asvs-5.0.0.tsv"
DOCUMENT = documented.ROOT / "docs" / "asvs.md"
SECURITY = documented.ROOT / "docs" / "security.md"
STATES = ("met", "not applicable", "not met")
# A chapter that does not apply as a whole has one sentence.
LEFT_OUT = {"17"}


def wanted() -> dict[str, str]:
    """{requirement: level} of the chapters that apply."""
    lines = [line.split("\t") for line in LEVELS.read_text().splitlines() if not line.startswith("#")]
    return {number: level for number, level in lines if number.partition(".")[0] not in LEFT_OUT}


def answers() -> list[list[str]]:
    """The lines of the document: requirement, level, state, test or reason."""
    return documented.rows(DOCUMENT.read_text())


def test_every_requirement_stands_there_once_with_its_level() -> None:
    assert len(wanted()) > 240
    told = [(number, level) for number, level, *_ in answers()]
    assert len(told) == len(set(told))
    assert dict(told) == wanted()
    chapters = documented.sections(DOCUMENT.read_text())
    for heading, text in chapters.items():
        number = heading.split()[0].removeprefix("V")
        assert {cells[0].partition(".")[0] for cells in documented.rows(text)} <= {number}
        if number in LEFT_OUT:
            assert text.strip().startswith("Not applicable as a whole: ")
    assert len(chapters) == 17


def test_what_is_met_names_tests_that_exist_and_what_is_not_says_why() -> None:
    for number, _, state, cell in answers():
        named = set(documented.NAMED.findall(cell))
        reason = documented.NAMED.sub("", cell).replace("<br>", "").strip()
        assert state in STATES, number
        assert named - documented.tests() == set(), number
        assert cell.count("::") == len(documented.NAMED.findall(cell)), f"{number}: a name of another form"
        assert bool(named) if state == "met" else len(reason) > 6, number


def test_the_summary_counts_right() -> None:
    counted = {number: Counter[str]() for number in map(str, range(1, 17))}
    for number, _, state, _ in answers():
        counted[number.partition(".")[0]][state] += 1
    told = documented.rows(documented.sections(SECURITY.read_text())["OWASP ASVS 5"])
    for name, *numbers in told[:-1]:
        chapter = counted.pop(name.split()[0].removeprefix("V"))
        assert numbers == [str(chapter.total()), *(str(chapter[state]) for state in STATES)], name
    assert counted == {}
    states = Counter(state for _, _, state, _ in answers())
    assert told[-1][1:] == [str(states.total()), *(str(states[state]) for state in STATES)]


@pytest.mark.parametrize(
    ("document", "heading", "words"),
    [
        ("inventory.md", "What is accepted", ["Client assertion", "judged together", "Judged on the server"]),
        ("inventory.md", "Limits", ["250, 20, 20", "429", "all processes"]),
        ("inventory.md", "Sign-in", ["lock somebody out", "credmgr", "invitation"]),
        ("inventory.md", "Sessions", ["30 minutes", "8 hours", "any number", "800-63B"]),
        ("inventory.md", "Files", ["64 KB", "PKCS #12", "upload is unpacked"]),
        ("inventory.md", "Keys and algorithms", ["800-57", "AES-256-GCM", "RS256", "PBKDF2"]),
        ("inventory.md", "Data and how it is protected", ["Secret", "Personal", "Kept"]),
        ("inventory.md", "Connections", ["PostgreSQL", "loopback only", "listed origins"]),
        ("inventory.md", "What is logged", ["Audit", "Sign-ins", "Program", "Metrics"]),
        ("inventory.md", "What is costly", ["Password hashes", "Exports"]),
        ("inventory.md", "Packages", ["critical", "days", "hashes"]),
        ("security.md", "Single sign-on", ["PKCE", "auth_time", "Signing out here", "limits here"]),
        ("security.md", "Who may do what", ["Reader", "404", "403", "Fields"]),
    ],
)
def test_what_reviewers_read_is_written(document: str, heading: str, words: list[str]) -> None:
    """The documents that requirements ask for are there, and speak of what they are asked about."""
    text = documented.sections((documented.ROOT / "docs" / document).read_text())[heading]
    assert len(text) > 400
    for word in words:
        assert word in text, word


def test_no_sentence_is_owasps() -> None:
    """Their text is under a licence of its own, and begins in one way."""
    assert "Verify that" not in DOCUMENT.read_text()
