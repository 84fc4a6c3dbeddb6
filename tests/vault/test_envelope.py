"""What the sealed form promises (security rules E-1 to E-4, E-6, 2.2, 2.3)."""

import json
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credmgr.vault import envelope
from credmgr.vault.envelope import Place, make_verifier, open_sealed, seal, verifier_matches
from credmgr.vault.errors import KeyRingError, SealError, UnknownKeyError, VaultError
from credmgr.vault.keyring import KeyRing, VaultKey
from tests.fuzzing import examples
from tests.vault.conftest import key_line, key_of

VECTOR = json.loads((Path(__file__).parent.parent / "vectors" / "vault_envelope.json").read_text())
KEY = VaultKey.from_master(bytes.fromhex(VECTOR["master"]))
RING = KeyRing([KEY])
PLACE = Place(VECTOR["table"], VECTOR["column"], uuid.UUID(VECTOR["row"]))
TOKEN = bytes.fromhex(VECTOR["envelope"])
VERIFIER = bytes.fromhex(VECTOR["verifier"])
SECRET = VECTOR["plaintext"]


# ---------------------------------------------------------------- E-1
def test_e1_known_answer() -> None:
    assert KEY.key_id.hex() == VECTOR["key_id"]
    made = envelope._seal_with_nonce(KEY, PLACE, SECRET.encode(), bytes.fromhex(VECTOR["nonce"]))
    assert made == TOKEN
    assert open_sealed(RING, PLACE, TOKEN) == SECRET.encode()
    assert make_verifier(KEY, PLACE.row, SECRET) == VERIFIER


@given(st.binary(max_size=4096))
def test_e1_round_trip_of_any_bytes(plaintext: bytes) -> None:
    sealed = seal(KEY, PLACE, plaintext)
    assert len(sealed) == len(plaintext) + 37
    assert open_sealed(RING, PLACE, sealed) == plaintext


@pytest.mark.parametrize("size", [0, 1, 65_536, 1_048_576])
def test_e1_round_trip_of_sizes(size: int) -> None:
    plaintext = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert open_sealed(RING, PLACE, seal(KEY, PLACE, plaintext)) == plaintext


# ---------------------------------------------------------------- E-2
def test_e2_every_single_bit_flip_is_refused() -> None:
    refused = 0
    for bit in range(len(TOKEN) * 8):
        flipped = bytearray(TOKEN)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(VaultError):
            open_sealed(RING, PLACE, bytes(flipped))
        refused += 1
    assert refused == 520


def test_e2_every_truncation_and_extension_is_refused() -> None:
    for length in range(len(TOKEN)):
        for part in (TOKEN[:length], TOKEN[len(TOKEN) - length :]):
            with pytest.raises(VaultError):
                open_sealed(RING, PLACE, part)
    for more in (b"\x00", b"\xff", TOKEN):
        for longer in (TOKEN + more, more + TOKEN):
            with pytest.raises(VaultError):
                open_sealed(RING, PLACE, longer)


@settings(max_examples=examples(300))
@given(st.binary(max_size=200))
def test_e2_invented_bytes_are_refused(invented: bytes) -> None:
    for value in (invented, b"\x01" + KEY.key_id + invented):
        with pytest.raises(VaultError):
            open_sealed(RING, PLACE, value)


# ---------------------------------------------------------------- E-3
@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(PLACE, row=uuid.UUID(int=PLACE.row.int + 1)),
        replace(PLACE, column="private_key"),
        replace(PLACE, table="certificate"),
        # What a joining without lengths would confuse.
        replace(PLACE, table="client_secretvalue", column=""),
        replace(PLACE, table="client_secre", column="tvalue"),
    ],
)
def test_e3_a_copy_elsewhere_is_refused(elsewhere: Place) -> None:
    with pytest.raises(SealError):
        open_sealed(RING, elsewhere, TOKEN)


def test_e3_two_sealings_of_one_value_differ() -> None:
    made = {seal(KEY, PLACE, b"same") for _ in range(1000)}
    assert len(made) == 1000
    assert len({each[9:21] for each in made}) == 1000, "a nonce came twice"


# ---------------------------------------------------------------- E-4, 2.3
def test_e4_a_verifier_at_another_credential_verifies_nothing() -> None:
    assert verifier_matches(RING, VERIFIER, PLACE.row, SECRET)
    assert not verifier_matches(RING, VERIFIER, uuid.UUID(int=PLACE.row.int + 1), SECRET)


def test_e4_bit_flips_and_truncations_of_a_verifier_match_nothing() -> None:
    for bit in range(len(VERIFIER) * 8):
        flipped = bytearray(VERIFIER)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            assert not verifier_matches(RING, bytes(flipped), PLACE.row, SECRET)
        except UnknownKeyError:
            assert 8 <= bit < 72, "only a flip in the key id names another key"
    for length in range(len(VERIFIER)):
        assert not verifier_matches(RING, VERIFIER[:length], PLACE.row, SECRET)


@given(st.text())
def test_a_verifier_matches_its_secret_only(other: str) -> None:
    assert verifier_matches(RING, VERIFIER, PLACE.row, other) == (other == SECRET)


def test_a_verifier_takes_any_text() -> None:
    odd = "\ud800 lone surrogate, \x00, é"
    assert verifier_matches(RING, make_verifier(KEY, PLACE.row, odd), PLACE.row, odd)


def test_a_verifier_is_no_sealed_value_and_no_plain_hash() -> None:
    other = make_verifier(key_of(key_line()), PLACE.row, SECRET)
    assert other[9:] != VERIFIER[9:], "without the key nobody can test guesses"
    with pytest.raises(SealError):
        open_sealed(RING, PLACE, VERIFIER)


# ---------------------------------------------------------------- E-6, keys
def test_e6_one_error_and_one_text_without_data() -> None:
    broken = [
        (PLACE, TOKEN[:-1] + b"\x00"),
        (PLACE, TOKEN[:40] + b"\x00" + TOKEN[41:]),
        (PLACE, b""),
        (PLACE, b"\x02" + TOKEN[1:]),
        (replace(PLACE, column="other"), TOKEN),
    ]
    texts = set()
    for place, token in broken:
        with pytest.raises(SealError) as caught:
            open_sealed(RING, place, token)
        texts.add(str(caught.value))
        assert caught.value.__cause__ is None
    assert texts == {"The sealed value cannot be opened."}


def test_k7_an_unknown_key_is_named_and_no_other_is_tried() -> None:
    stranger = key_of(key_line())
    sealed = seal(stranger, PLACE, b"x")
    with pytest.raises(UnknownKeyError, match=stranger.key_id.hex()) as caught:
        open_sealed(RING, PLACE, sealed)
    assert caught.value.key_id == stranger.key_id
    # The same bytes under a key id that is there: the right id does not help the wrong key.
    with pytest.raises(SealError):
        open_sealed(RING, PLACE, sealed[:1] + KEY.key_id + sealed[9:])


def test_a_wrong_key_with_a_right_neighbour_does_not_open() -> None:
    other = key_of(key_line())
    both = KeyRing([other, KEY])
    assert open_sealed(both, PLACE, TOKEN) == SECRET.encode()
    with pytest.raises(UnknownKeyError):
        open_sealed(KeyRing([other]), PLACE, TOKEN)


def test_working_keys_differ_and_do_not_show() -> None:
    assert len({KEY.encrypt, KEY.verify, KEY.audit, bytes.fromhex(VECTOR["master"])}) == 4
    shown = repr(KEY) + repr(RING) + str(KEY)
    for part in (KEY.encrypt, KEY.verify, KEY.audit):
        assert part.hex() not in shown
        assert repr(part) not in shown


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_k2_a_master_key_has_32_bytes(size: int) -> None:
    with pytest.raises(KeyRingError, match=f"{size} bytes instead of 32"):
        VaultKey.from_master(b"k" * size)
