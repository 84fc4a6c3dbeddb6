"""Tokens, claims and keys of strangers: bounded, typed, and refused with errors of our own only (A-7, A-10,
W8).
"""

import base64
import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from credmgr.jose import jwk, jws
from credmgr.jose.claims import TimeWindow, numeric_date, text_claim, time_window
from credmgr.jose.encoding import base64url_decode, base64url_encode
from credmgr.jose.errors import (
    AlgorithmError,
    ClaimError,
    JoseError,
    KeyFormatError,
    MalformedTokenError,
    SignatureError,
    TokenTimeError,
)
from tests.fuzzing import examples

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    """One RSA-2048 key for this file."""
    return rsa.generate_private_key(65537, 2048)


def text(header: str, claims: str = "{}", signature: bytes = b"x") -> str:
    """A compact token of any texts."""
    return ".".join(base64url_encode(part) for part in (header.encode(), claims.encode(), signature))


# ------------------------------------------------------------------------------------------------ reading
@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b",
        "a.b.c.d",
        text("[]"),
        text("{}", "[]"),
        text("null"),
        text('{"a":1,"a":2}'),
        text("{}", '{"a":1,"a":1}'),
        text("{}", '{"a":NaN}'),
        text("{}", '{"a":-Infinity}'),
        text("{}", '{"a":1e400}'),
        text("{}", '{"a":' + "1" * 5000 + "}"),
        text("{}", '{"a":' + "[" * 300 + "]" * 300 + "}"),
        text("{}", '{"a":' + "[" * 100_000),
        text('{"crit":["exp"]}'),
        text('{"crit":[]}'),
        text('{"b64":false}'),
        text("{}") + "=" * 3,
        text("{}").replace(".", "\n."),
        "\u00e9" + text("{}"),
        text("{}", '{"a":"' + "x" * 20_000 + '"}'),
    ],
    ids=lambda token: token[:30],
)
def test_what_is_no_token(token: str) -> None:
    """One error, and its text repeats nothing of the token."""
    with pytest.raises(MalformedTokenError) as error:
        jws.UnverifiedToken.parse(token)
    assert len(str(error.value)) < 100


def test_padding_is_accepted(key: rsa.RSAPrivateKey) -> None:
    """The signature is over the text as it came, padding included."""
    parts = [base64.urlsafe_b64encode(part).decode() for part in (b'{"alg":"RS256"}', b'{"a":"bcd"}')]
    assert "=" in "".join(parts)
    signing_input = ".".join(parts)
    mark = jws._ALGORITHMS["RS256"].sign(signing_input.encode(), key)
    token = jws.UnverifiedToken.parse(f"{signing_input}.{base64.urlsafe_b64encode(mark).decode()}")
    assert dict(jws.verify(token, key.public_key(), algorithms=["RS256"])) == {"a": "bcd"}


@settings(max_examples=examples(300), deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda data: base64.b64encode(data).decode()))
def test_any_text_is_read_or_refused(given_text: str) -> None:
    """Never another error than ours."""
    try:
        jws.UnverifiedToken.parse(given_text)
    except JoseError:
        return


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["alg", "crit", "b64", "kid", "x5t", "exp", "nbf", "iat", "aud", "iss", "jti"])


@settings(max_examples=examples(300), deadline=None)
@given(header=st.dictionaries(NAMES, JSON, max_size=4), claims=st.dictionaries(NAMES, JSON, max_size=5))
def test_any_json_is_read_or_refused(header: dict[str, Any], claims: dict[str, Any]) -> None:
    """Types are checked before anything uses them."""
    try:
        token = jws.UnverifiedToken.parse(text(json.dumps(header), json.dumps(claims)))
        jws.require_algorithm(token, jws.ALGORITHMS)
        window = time_window(token.claims)
        window.check(NOW, skew=300, ahead=86400)
    except JoseError:
        return
    assert math.isfinite(window.expires)


@given(st.binary(max_size=100))
def test_base64url_both_ways(data: bytes) -> None:
    """With and without padding."""
    assert base64url_decode(base64url_encode(data)) == data
    assert base64url_decode(base64.urlsafe_b64encode(data).decode()) == data


@pytest.mark.parametrize(
    "bad", ["a", "ab+/", "ab cd", "ab\n", "=ab", "a=b", "ab===", "\u00e9\u00e9\u00e9\u00e9"]
)
def test_what_is_no_base64url(bad: str) -> None:
    """The standard alphabet, white space, and impossible lengths are refused."""
    with pytest.raises(MalformedTokenError):
        base64url_decode(bad)


# ------------------------------------------------------------------------------------------------ verifying
def test_the_algorithm_is_the_callers(key: rsa.RSAPrivateKey) -> None:
    """RFC 8725 section 3.1: neither the token nor the library decides."""
    token = jws.UnverifiedToken.parse(jws.sign({}, key, algorithm="RS256"))
    for allowed in ([], ["PS256"], ["ES256"], ["none"], ["HS256"]):
        with pytest.raises(AlgorithmError):
            jws.verify(token, key.public_key(), algorithms=allowed)


@pytest.mark.parametrize(
    "algorithm", ["none", "NONE", "None", "HS256", "RS1", "", "rs256", "RS256 ", 5, None, ["RS256"]]
)
def test_other_algorithms(key: rsa.RSAPrivateKey, algorithm: Any) -> None:
    """Refused even where a caller would allow them."""
    token = jws.UnverifiedToken.parse(text(json.dumps({"alg": algorithm})))
    with pytest.raises(AlgorithmError):
        jws.verify(token, key.public_key(), algorithms=[str(algorithm), "none", "HS256"])


def test_a_public_key_is_no_hmac_key(key: rsa.RSAPrivateKey) -> None:
    """The classic confusion: HS256 with the public key as the secret."""
    with pytest.raises(AlgorithmError):
        jws.sign({}, key, algorithm="HS256")


def test_key_and_algorithm_go_together(key: rsa.RSAPrivateKey) -> None:
    """RSA keys do not verify ES256; P-256 keys do not verify ES384."""
    curve_key = ec.generate_private_key(ec.SECP256R1())
    token = jws.UnverifiedToken.parse(jws.sign({}, curve_key, algorithm="ES256"))
    with pytest.raises(AlgorithmError):
        jws.verify(token, key.public_key(), algorithms=jws.ALGORITHMS)
    with pytest.raises(AlgorithmError):
        jws.sign({}, curve_key, algorithm="ES384")
    other = ec.generate_private_key(ec.SECP256K1())
    with pytest.raises(AlgorithmError):
        jws.sign({}, other, algorithm="ES256")


def test_another_key(key: rsa.RSAPrivateKey) -> None:
    """A signature of someone else."""
    token = jws.UnverifiedToken.parse(jws.sign({}, key, algorithm="PS256"))
    stranger = rsa.generate_private_key(65537, 2048).public_key()
    with pytest.raises(SignatureError):
        jws.verify(token, stranger, algorithms=["PS256"])


# ------------------------------------------------------------------------------------------------ claims
@pytest.mark.parametrize(
    ("value", "seconds"),
    [(5, 5.0), (5.25, 5.25), (-1, -1.0), ("1700000000", 1.7e9), ("1700000000.5", 1700000000.5), (0, 0.0)],
)
def test_numeric_dates(value: Any, seconds: float) -> None:
    """RFC 7519 section 2, and the strings of MSAL for .NET."""
    assert numeric_date({"exp": value}, "exp") == seconds


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        None,
        "",
        "x",
        "1e3",
        " 1",
        "0x10",
        "\u0661",
        [1],
        {},
        1e300,
        2**60,
        float("nan"),
        "9" * 40,
    ],
)
def test_what_is_no_numeric_date(value: Any) -> None:
    """W8."""
    with pytest.raises(ClaimError):
        numeric_date({"exp": value}, "exp")


def test_exp_is_required() -> None:
    """Without an end a token would live for ever."""
    with pytest.raises(ClaimError):
        time_window({"nbf": 1})


@pytest.mark.parametrize(
    ("window", "reason"),
    [
        (TimeWindow(-300, None, None), "expired"),
        (TimeWindow(-299, None, None), ""),
        (TimeWindow(600, 300, None), ""),
        (TimeWindow(600, 301, None), "too-early"),
        (TimeWindow(600, None, 301), "too-early"),
        (TimeWindow(600, -10, 300), ""),
        (TimeWindow(86700, None, None), ""),
        (TimeWindow(86701, None, None), "too-long"),
        (TimeWindow(100, 100, None), "expired"),
        (TimeWindow(100, None, 150), "expired"),
    ],
)
def test_times(window: TimeWindow, reason: str) -> None:
    """Offsets from now in seconds; the clock is an argument, so each edge is exact."""
    start = NOW.timestamp()
    moved = TimeWindow(
        *(
            None if value is None else value + start
            for value in (window.expires, window.not_before, window.issued_at)
        )  # type: ignore[arg-type] # expires is never None
    )
    if not reason:
        moved.check(NOW, skew=300, ahead=86400)
        return
    with pytest.raises(TokenTimeError) as error:
        moved.check(NOW, skew=300, ahead=86400)
    assert error.value.reason == reason


def test_without_a_longest_life() -> None:
    """Verifiers of access tokens set none."""
    TimeWindow((NOW + timedelta(days=900)).timestamp(), None, None).check(NOW, skew=0)


@pytest.mark.parametrize("claims", [{}, {"iss": ""}, {"iss": 5}, {"iss": None}, {"iss": ["a"]}])
def test_texts(claims: dict[str, Any]) -> None:
    """A claim that must be a text."""
    with pytest.raises(ClaimError):
        text_claim(claims, "iss")


def test_verified_claims_do_not_print(key: rsa.RSAPrivateKey) -> None:
    """They end up in tracebacks otherwise."""
    token = jws.UnverifiedToken.parse(jws.sign({"canary": "c-4711"}, key, algorithm="RS256"))
    verified = jws.verify(token, key.public_key(), algorithms=["RS256"])
    assert "c-4711" not in repr(verified)
    assert len(verified) == 1
    assert list(verified) == ["canary"]


# ------------------------------------------------------------------------------------------------ keys
@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"kty": "oct", "k": "AAAA"},
        {"kty": "RSA", "n": "AQAB"},
        {"kty": "RSA", "n": "!!", "e": "AQAB"},
        {"kty": "RSA", "n": 5, "e": "AQAB"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "RSA", "n": base64url_encode(b"\xff" * 4000), "e": "AQAB"},
        {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": ["P-256"], "x": "AA", "y": "AA"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
    ],
    ids=repr,
)
def test_what_is_no_key(bad: dict[str, Any]) -> None:
    """KeyFormatError, whatever is wrong with it."""
    with pytest.raises(KeyFormatError):
        jwk.public_key(bad)


@pytest.mark.parametrize(
    "key_set", [None, [], "x", {}, {"keys": {}}, {"keys": [5, None, "x"]}, {"keys": [{}] * 101}]
)
def test_what_is_no_key_set(key_set: Any) -> None:
    """As it may come from a stranger's server."""
    with pytest.raises(KeyFormatError):
        jwk.find_key(key_set, "k")


def test_two_keys_of_one_name(key: rsa.RSAPrivateKey) -> None:
    """Which one would it be?"""
    listed = {**jwk.public_jwk(key.public_key()), "kid": "k"}
    assert jwk.find_key({"keys": [listed, {"kid": "other"}]}, "k").key_size == 2048
    with pytest.raises(KeyFormatError):
        jwk.find_key({"keys": [listed, listed]}, "k")


@pytest.mark.parametrize("der", [b"", b"\x30\x00", b"x" * 500])
def test_what_is_no_certificate(der: bytes) -> None:
    """KeyFormatError."""
    with pytest.raises(KeyFormatError):
        jwk.certificate_key(der)
