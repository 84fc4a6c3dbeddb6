"""The shape of generated values, against the published example."""

import re
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from credmgr.credentials.secret_values import (
    ALPHABET,
    checksum,
    checksum_holds,
    generate,
    hint_of,
    mask,
)

# The example of the product's own design pages, made by another implementation.
PUBLISHED = "7Yk_cm_vvWAeMmfhwKzn0gaKiBLeQrQUYiJHbG0Omkxv"
# CRC-32 of "123456789" is 0xCBF43926, the check value that every CRC catalogue gives.
CRC_CHECK = 0xCBF43926


def test_the_published_example_verifies():
    assert checksum_holds(PUBLISHED)
    assert checksum(PUBLISHED[:38]) == "0Omkxv"


def test_the_checksum_is_crc_32_in_base62_padded_to_six():
    digits = checksum("123456789")
    number = 0
    for digit in digits:
        number = number * 62 + ALPHABET.index(digit)
    assert (number, len(digits)) == (CRC_CHECK, 6)
    assert "".join(sorted(ALPHABET)) == ALPHABET


def test_values_have_the_documented_shape_and_differ():
    values = {generate() for _ in range(500)}
    assert len(values) == 500
    assert all(re.fullmatch(r"[0-9A-Za-z]{3}_cm_[0-9A-Za-z]{37}", value) for value in values)
    assert all(checksum_holds(value) for value in values)


def test_every_character_of_the_alphabet_is_used_about_as_often():
    """More than 200 random bits: 34 characters of 62 each."""
    seen = Counter(character for _ in range(400) for character in _random_part(generate()))
    assert set(seen) == set(ALPHABET)
    assert max(seen.values()) < 2 * min(seen.values())


def _random_part(value: str) -> str:
    return value[:3] + value[7:38]


def test_hint_and_mask():
    assert hint_of(PUBLISHED) == "7Yk"
    assert mask("7Yk") == "7Yk******************"


@given(st.integers(0, 43), st.sampled_from(ALPHABET))
def test_a_mistyped_character_is_noticed(position, character):
    typed = PUBLISHED[:position] + character + PUBLISHED[position + 1 :]
    assert checksum_holds(typed) == (typed == PUBLISHED)


@given(st.text())
def test_other_text_is_never_a_value(text):
    assert not checksum_holds(text)


def test_surrounding_white_space_is_not_part_of_a_value():
    assert not checksum_holds(PUBLISHED + "\n")
    assert not checksum_holds(" " + PUBLISHED)
