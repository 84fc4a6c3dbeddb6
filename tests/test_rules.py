"""docs/rules.md has every rule once, in words and with tests that exist; tests cite no other rules."""

import re

from tests import documented

DOCUMENT = documented.ROOT / "docs" / "rules.md"
# How many rules each letter has.
RULES = dict(zip("KESAFOUHLDCNG", (8, 7, 5, 16, 4, 9, 9, 7, 7, 7, 9, 6, 4), strict=True))


def test_every_rule_stands_there_once() -> None:
    told = [row[0] for row in documented.rows(DOCUMENT.read_text())]
    assert told == [f"{letter}-{number}" for letter, most in RULES.items() for number in range(1, most + 1)]


def test_every_rule_has_tests_that_exist_or_says_that_it_is_not_met() -> None:
    for rule, words, cell in documented.rows(DOCUMENT.read_text()):
        named = documented.NAMED.findall(cell)
        rest = documented.NAMED.sub("", cell).replace("<br>", "").strip()
        assert len(words) > 30, rule
        assert set(named) - documented.tests() == set(), rule
        assert cell.count("::") == len(named), f"{rule}: a name of another form"
        assert bool(named) != rest.startswith("Not met: "), rule


def test_a_rule_in_a_tests_name_is_one_of_these() -> None:
    """As in test_l1_...: the letter and number of a rule begin the name. Letters of other lists pass."""
    names = (re.search(r"::test_([a-z])(\d+)_", name) for name in documented.tests())
    cited = {match.groups() for match in names if match}
    others = {"a", "b", "d", "p", "r", "w"}  # acceptance criteria and other lists of the tests' own
    beyond = {
        f"{letter}{number}"
        for letter, number in cited
        if letter not in others and int(number) > RULES.get(letter.upper(), 0)
    }
    assert beyond == set()
