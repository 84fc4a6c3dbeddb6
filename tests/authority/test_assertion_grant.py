"""Token requests with a client assertion: the shapes of real clients, and every refusal in the order of
W3.
"""

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import joserfc.jwk
import joserfc.jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.authority.assertion_maker import TYPE, KeyPair, b64, claims_of, compact, key_pair
from tests.authority.conftest import Directory


def msal_thumbprint(pair: KeyPair) -> dict[str, Any]:
    """MSAL for Python with the seed's dict: SHA-1 with the padding left on."""
    return {"alg": "RS256", "typ": "JWT", "x5t": b64(pair.sha1, padded=True)}


def msal_certificate(pair: KeyPair) -> dict[str, Any]:
    """MSAL for Python with public_certificate: PS256, SHA-256, x5c with line breaks."""
    chain = base64.encodebytes(pair.der).decode()
    return {"alg": "PS256", "typ": "JWT", "x5t#S256": b64(pair.sha256, padded=True), "x5c": [chain]}


def hex_kid(pair: KeyPair) -> dict[str, Any]:
    """Clients that name the key by kid alone."""
    return {"alg": "RS256", "kid": pair.sha1.hex()}


def claims(directory: Directory) -> dict[str, Any]:
    """A token's claims, unverified here: other tests verify."""
    return claims_of(str(directory.app.client_id), directory.audience, datetime.now(UTC))


@pytest.mark.parametrize("shape", [msal_thumbprint, msal_certificate, hex_kid])
def test_shapes_of_real_clients(directory: Directory, pair: KeyPair, shape: Any) -> None:
    """B7: a token whose appidacr says assertion, and a log row that names the certificate."""
    row = directory.add_certificate(pair)
    answer = directory.present(directory.assertion(pair, header=shape(pair)))
    payload = answer.token.split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(payload + "=="))["appidacr"] == "2"
    sign_in = directory.last_sign_in()
    assert (sign_in.credential_id, sign_in.credential_type) == (row.id, "certificate")
    assert sign_in.thumbprint in (row.thumbprint_sha1, row.thumbprint_sha256)


def test_azure_identity_async_pads_every_part(directory: Directory, pair: KeyPair) -> None:
    """Integers, nbf = now, no iat, and "=" in header, payload and signature."""
    directory.add_certificate(pair)
    now = int(datetime.now(UTC).timestamp())
    assertion = directory.assertion(
        pair,
        header={"typ": "JWT", "alg": "PS256", "x5t#S256": b64(pair.sha256, padded=True)},
        padded=True,
        iat=None,
        nbf=now,
        exp=now + 1800,
        filler="x",
    )
    assert "=" in assertion
    assert directory.present(assertion).status == 200


def test_msal_node_begins_a_moment_ahead(directory: Directory, pair: KeyPair) -> None:
    """nbf rounded up must not fail at random."""
    directory.add_certificate(pair)
    ahead = int(datetime.now(UTC).timestamp()) + 1
    assert directory.present(directory.assertion(pair, nbf=ahead, iat=ahead)).status == 200


def test_msal_net_writes_times_as_strings(directory: Directory, pair: KeyPair) -> None:
    """A-10: decimal strings are numbers."""
    directory.add_certificate(pair)
    now = int(datetime.now(UTC).timestamp())
    assertion = directory.assertion(pair, nbf=str(now), exp=str(now + 600), iat=None)
    assert directory.present(assertion).status == 200


def test_an_assertion_made_by_another_library(directory: Directory, pair: KeyPair) -> None:
    """joserfc signs, this authority verifies."""
    directory.add_certificate(pair)
    pem = pair.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for algorithm in ("RS256", "PS256"):
        header = {"alg": algorithm, "x5t#S256": b64(pair.sha256), "x5t": b64(pair.sha1)}
        assertion = joserfc.jwt.encode(
            header, claims(directory), joserfc.jwk.RSAKey.import_key(pem), algorithms=[algorithm]
        )
        assert directory.present(assertion).status == 200


@pytest.mark.parametrize(
    ("curve", "algorithm"), [(ec.SECP256R1(), "ES256"), (ec.SECP384R1(), "ES384"), (ec.SECP521R1(), "ES512")]
)
def test_elliptic_curve_keys(directory: Directory, curve: ec.EllipticCurve, algorithm: str) -> None:
    """A-7: the algorithm goes with the curve, and only with it."""
    mine = key_pair(ec.generate_private_key(curve))
    directory.add_certificate(mine)
    header = {"alg": algorithm, "x5t#S256": b64(mine.sha256)}
    assert directory.present(directory.assertion(mine, header=header)).status == 200
    wrong = "ES384" if algorithm != "ES384" else "ES256"
    assertion = directory.assertion(mine, header={**header, "alg": wrong})
    directory.present(assertion).refused(401, "invalid_client", 700027)


def test_the_same_assertion_again(directory: Directory, pair: KeyPair) -> None:
    """Decision 7, A-12: MSAL presents one for nine minutes."""
    directory.add_certificate(pair)
    assertion = directory.assertion(pair)
    for _ in range(3):
        assert directory.present(assertion).status == 200


@pytest.mark.parametrize(
    "audience",
    [
        "{url}/{id}/oauth2/v2.0/token",
        "{url}/{id}/oauth2/token",
        "{url}/{id}/v2.0",
        "{url}/{id}/",
        "{url}/default.onmicrosoft.example/oauth2/v2.0/token",
        "{url}/Default.OnMicrosoft.Example/v2.0",
        "https://127.0.0.1:8443/{id}/oauth2/v2.0/token",
    ],
)
def test_audiences_of_this_directory(directory: Directory, pair: KeyPair, audience: str) -> None:
    """A-9: token endpoint or issuer, by id or domain name."""
    directory.add_certificate(pair)
    given = audience.format(url="https://localhost:8443", id=directory.tenant.id)
    assert directory.present(directory.assertion(pair, aud=given)).status == 200


@pytest.mark.parametrize(
    "audience",
    [
        "https://localhost:8443",
        "{url}/{id}",
        "{url}/{id}/v2.0/",
        "{url}/{id}/oauth2/v2.0/token/",
        "{url}/{id}/oauth2/v2.0/tokens",
        "{url}/11111111-1111-1111-1111-111111111111/oauth2/v2.0/token",
        "{url}/other.example/oauth2/v2.0/token",
        "http://localhost:8443/{id}/oauth2/v2.0/token",
        "https://localhost/{id}/oauth2/v2.0/token",
        "https://evil.example/{id}/oauth2/v2.0/token",
        "https://localhost:8443.evil.example/{id}/oauth2/v2.0/token",
        "api://AzureADTokenExchange",
    ],
)
def test_audiences_of_someone_else(directory: Directory, pair: KeyPair, audience: str) -> None:
    """700023, with what was expected."""
    directory.add_certificate(pair)
    given = audience.format(url="https://localhost:8443", id=directory.tenant.id)
    text = directory.present(directory.assertion(pair, aud=given)).refused(401, "invalid_client", 700023)
    assert f"'{given}'" in text
    assert f"'{directory.audience}'" in text


def test_a_certificate_that_is_not_here(directory: Directory, pair: KeyPair, other_pair: KeyPair) -> None:
    """B9: key not found, the thumbprint shown in capitals; the same once the certificate is removed (B11)."""
    row = directory.add_certificate(pair)
    text = directory.present(directory.assertion(other_pair)).refused(401, "invalid_client", 700027)
    assert "[Reason - The key was not found, Thumbprint of key used by client: " in text
    assert f"'{other_pair.sha1.hex().upper()}'" in text
    assert directory.present(directory.assertion(pair)).status == 200
    row.delete()
    directory.present(directory.assertion(pair)).refused(401, "invalid_client", 700027)


def test_another_apps_certificate(directory: Directory, pair: KeyPair) -> None:
    """A-8: keys of this client only."""
    directory.add_certificate(pair, directory.register("Other"))
    directory.present(directory.assertion(pair)).refused(401, "invalid_client", 700027)


def test_another_private_key(directory: Directory, pair: KeyPair, other_pair: KeyPair) -> None:
    """B10: the thumbprint fits, the signature does not."""
    directory.add_certificate(pair)
    assertion = directory.assertion(other_pair, header=msal_thumbprint(pair))
    text = directory.present(assertion).refused(401, "invalid_client", 700027)
    assert "signature does not match" in text
    assert f"'{pair.sha1.hex().upper()}'" in text


def test_the_key_in_the_header_is_no_key(directory: Directory, pair: KeyPair, other_pair: KeyPair) -> None:
    """A-7: x5c, jwk, jku, x5u are never a source of keys."""
    directory.add_certificate(pair)
    header = {
        **msal_certificate(other_pair),
        "x5t#S256": b64(pair.sha256),
        "jku": "https://evil.example/keys",
    }
    directory.present(directory.assertion(other_pair, header=header)).refused(401, "invalid_client", 700027)


def test_both_thumbprints_must_agree(directory: Directory, pair: KeyPair, other_pair: KeyPair) -> None:
    """A-8."""
    directory.add_certificate(pair)
    directory.add_certificate(other_pair)
    header = {"alg": "RS256", "x5t#S256": b64(pair.sha256), "x5t": b64(other_pair.sha1)}
    text = directory.present(directory.assertion(pair, header=header)).refused(401, "invalid_client", 700027)
    assert "not found" in text


def test_kid_counts_only_without_thumbprints(
    directory: Directory, pair: KeyPair, other_pair: KeyPair
) -> None:
    """W3."""
    directory.add_certificate(pair)
    header = {**msal_thumbprint(other_pair), "kid": pair.sha1.hex()}
    directory.present(directory.assertion(pair, header=header)).refused(401, "invalid_client", 700027)


def test_a_sha256_value_in_x5t(directory: Directory, pair: KeyPair) -> None:
    """A user's mistake: not found, with the hex and a hint."""
    directory.add_certificate(pair)
    header = {"alg": "RS256", "x5t": b64(pair.sha256)}
    text = directory.present(directory.assertion(pair, header=header)).refused(401, "invalid_client", 700027)
    assert f"'{pair.sha256.hex().upper()}'" in text
    assert "it takes SHA-1" in text


@pytest.mark.parametrize(
    ("start", "end", "words"), [(-9, -1, "expired"), (1, 9, "not valid yet")], ids=["expired", "future"]
)
def test_a_certificate_outside_its_dates(
    directory: Directory, pair: KeyPair, start: int, end: int, words: str
) -> None:
    """B12: 700027 with the found key's start and end, before the signature is looked at."""
    directory.add_certificate(pair, start=timedelta(days=start), end=timedelta(days=end))
    text = directory.present(directory.assertion(pair)).refused(401, "invalid_client", 700027)
    assert words in text
    assert "Found key 'Start=" in text


@pytest.mark.parametrize(
    "times",
    [
        {"exp": -301},
        {"exp": -86400 * 365},
        {"nbf": 302},
        {"iat": 302},
        {"exp": 86400 + 400},
        {"exp": 600, "nbf": 200, "iat": 700},
        {"nbf": 250, "exp": 100},
    ],
)
def test_times_outside(directory: Directory, pair: KeyPair, times: dict[str, float]) -> None:
    """700024 prints now, from and to."""
    directory.add_certificate(pair)
    now = datetime.now(UTC).timestamp()
    given: dict[str, Any] = {name: now + seconds for name, seconds in times.items()}
    text = directory.present(directory.assertion(pair, **given)).refused(401, "invalid_client", 700024)
    assert "Current time: '20" in text
    if "nbf" not in times:
        assert "valid from '1970-01-01T00:00:00Z'" in text


@pytest.mark.parametrize("times", [{"exp": -290}, {"nbf": 290}, {"iat": 290}, {"exp": 86400 - 5}])
def test_times_within_the_skew(directory: Directory, pair: KeyPair, times: dict[str, float]) -> None:
    """A-10: five minutes either way."""
    directory.add_certificate(pair)
    now = datetime.now(UTC).timestamp()
    given: dict[str, Any] = {name: now + seconds for name, seconds in times.items()}
    if "exp" in given:
        given["iat"] = now - 600
    assert directory.present(directory.assertion(pair, **given)).status == 200


def test_milliseconds_sent_as_seconds(directory: Directory, pair: KeyPair) -> None:
    """A number that no calendar has is shown as it is, and never a 5xx."""
    directory.add_certificate(pair)
    later = int(datetime.now(UTC).timestamp() * 1000)
    text = directory.present(directory.assertion(pair, exp=later)).refused(401, "invalid_client", 700024)
    assert str(later) in text


@pytest.mark.parametrize("claim", ["iss", "sub"])
def test_not_the_client(directory: Directory, pair: KeyPair, claim: str) -> None:
    """700021, with what was presented."""
    directory.add_certificate(pair)
    stranger = str(uuid.uuid4())
    changes: dict[str, Any] = {claim: stranger}
    text = directory.present(directory.assertion(pair, **changes)).refused(401, "invalid_client", 700021)
    assert f"'{stranger}'" in text


UNREADABLE_CLAIMS: list[dict[str, Any]] = [
    {"exp": None},
    {"exp": True},
    {"exp": "soon"},
    {"exp": ""},
    {"exp": "1e9"},
    {"exp": [1]},
    {"exp": {"a": 1}},
    {"exp": 1e300},
    {"nbf": False},
    {"nbf": "yesterday"},
    {"iat": "NaN"},
    {"aud": ["a"]},
    {"aud": None},
    {"aud": 5},
    {"aud": ""},
    {"iss": None},
    {"iss": 7},
    {"sub": None},
    {"sub": {"a": "b"}},
    {"jti": 5},
    {"jti": ""},
    {"jti": "x" * 256},
]


@pytest.mark.parametrize("changes", UNREADABLE_CLAIMS, ids=repr)
def test_claims_of_the_wrong_type(directory: Directory, pair: KeyPair, changes: dict[str, Any]) -> None:
    """W8, A-9 to A-11: 50027 before any key is looked up, so also for a certificate that is not here."""
    assertion = directory.assertion(pair, **changes)
    directory.present(assertion).refused(400, "invalid_request", 50027)
    assert directory.last_sign_in().error_code == 50027


def test_jti_is_asked_for_last(directory: Directory, pair: KeyPair) -> None:
    """A-11, W3: absent it is 50027, once all else is right."""
    directory.present(directory.assertion(pair, jti=None)).refused(401, "invalid_client", 700027)
    directory.add_certificate(pair)
    text = directory.present(directory.assertion(pair, jti=None)).refused(400, "invalid_request", 50027)
    assert "'jti'" in text


UNREADABLE_HEADERS: list[dict[str, Any]] = [
    {"alg": "none"},
    {"alg": "HS256"},
    {"alg": "RS512"},
    {"alg": "rs256"},
    {"alg": None},
    {"alg": ["RS256"]},
    {"x5t": 5},
    {"x5t": ""},
    {"x5t": "not base64!"},
    {"x5t": None},
    {"x5t": None, "kid": "the-key"},
    {"crit": ["exp"]},
    {"b64": False, "crit": ["b64"]},
]


@pytest.mark.parametrize("changes", UNREADABLE_HEADERS, ids=repr)
def test_headers_that_cannot_be_used(directory: Directory, pair: KeyPair, changes: dict[str, Any]) -> None:
    """A-7, A-8: "none", HMAC, unknown algorithms, critical extensions, no thumbprint."""
    directory.add_certificate(pair)
    header = {**msal_thumbprint(pair), **changes}
    header = {name: value for name, value in header.items() if value is not None or name == "alg"}
    directory.present(directory.assertion(pair, header=header)).refused(400, "invalid_request", 50027)


def unreadable_texts(pair: KeyPair) -> list[str]:
    """Everything that is not a JWT, or hides one."""
    good_header = json.dumps(msal_thumbprint(pair))
    good_claims = json.dumps({"iss": "a", "sub": "a", "aud": "b", "exp": 1, "jti": "x"})
    bad_claims = [
        '{"exp":1e999,"iss":"a","sub":"a","aud":"b"}',
        '{"exp":NaN,"iss":"a","sub":"a","aud":"b"}',
        '{"exp":Infinity}',
        '{"exp":' + "9" * 5000 + "}",
        '{"exp":1,"exp":2,"iss":"a","sub":"a","aud":"b"}',
        "[" * 4000 + "]" * 4000,
        '{"a":' * 1500 + "1" + "}" * 1500,
        "[]",
        "null",
        "true",
        '"text"',
        "",
        "{",
        "\ufeff" + good_claims,
        '{"aud":"\\ud800","iss":"a","sub":"a","exp":true}',
    ]
    good = compact(good_header, good_claims, pair.key)
    head, body, mark = good.split(".")
    return [
        *(compact(good_header, text, pair.key) for text in bad_claims),
        *(
            compact(text, good_claims, pair.key)
            for text in ('{"alg":"RS256","alg":"none"}', '{"alg":"RS256"}')
        ),
        "x",
        ".",
        "..",
        "...",
        f"{head}.{body}",
        f"{head}.{body}.{mark}.{mark}",
        f"{head}..{mark}",
        f".{body}.{mark}",
        f" {good}",
        f"{good}\n",
        f"{head}.{body}.{mark}===",
        f"{head}.{body[:-1]}*.{mark}",
        f"{head}.{b64(b'{')}.{mark}",
        f"{head}.{b64(bytes([0xFF, 0xFE]) + good_claims.encode('utf-16-le'))}.{mark}",
        f"{head}.{b64(good_claims.encode('utf-16'))}.{mark}",
        f"{head}.{b64(bytes(range(256)))}.{mark}",
        "a" * 20_000,
        f"{head}.{'A' * 17_000}.{mark}",
        "é.é.é",
        "\x00.\x00.\x00",
        "\u202e" + good,
        str(uuid.uuid4()),
    ]


@pytest.mark.parametrize("number", range(39))
def test_texts_that_are_no_jwt(directory: Directory, pair: KeyPair, number: int) -> None:
    """A-7, A-10: 50027, never a 5xx, and nothing of it repeated."""
    texts = unreadable_texts(pair)
    assert len(texts) == 39
    text = directory.present(texts[number]).refused(400, "invalid_request", 50027)
    assert texts[number][:60] not in text or len(texts[number]) < 4


def test_an_assertion_of_another_issuer(directory: Directory, pair: KeyPair) -> None:
    """W3: https means federated, and there is none to trust here; whatever algorithm it has."""
    issuer = "https://token.actions.example/repo"
    assertion = directory.assertion(pair, header={"alg": "ES256K"}, iss=issuer, sub="repo:x")
    text = directory.present(assertion).refused(401, "invalid_client", 70025)
    assert f"'{issuer}'" in text


def test_the_order_of_the_checks(directory: Directory, pair: KeyPair, other_pair: KeyPair) -> None:
    """W3: with everything wrong at once, the first check speaks; put right one by one, the next does."""
    now = datetime.now(UTC).timestamp()
    row = directory.add_certificate(pair, start=timedelta(days=-9), end=timedelta(days=-1))
    wrong: dict[str, Any] = {"exp": now - 9999, "iat": None, "aud": "b", "iss": "c", "jti": None}
    signer, header = other_pair, {"alg": "HS256", "x5t": b64(other_pair.sha1)}
    seen = []

    def step() -> None:
        answer = directory.present(directory.assertion(signer, header=header, **wrong))
        seen.append(answer.body["error_codes"][0] if answer.status != 200 else 0)

    step()
    header = {"alg": "RS256", "x5t": b64(other_pair.sha1)}
    step()
    header = msal_thumbprint(pair)
    step()
    type(row).objects.filter(pk=row.pk).update(end_at=directory.now + timedelta(days=9))
    step()
    signer = pair
    step()
    wrong["exp"] = now + 300
    step()
    wrong["aud"] = directory.audience
    step()
    del wrong["iss"]
    step()
    del wrong["jti"]
    step()
    assert seen == [50027, 700027, 700027, 700027, 700024, 700023, 700021, 50027, 0]


def test_a_wrong_assertion_type(directory: Directory, pair: KeyPair) -> None:
    """W4: 9002313; missing it is a missing parameter."""
    directory.add_certificate(pair)
    assertion = directory.assertion(pair)
    directory.present(assertion, client_assertion_type=f"{TYPE}2").refused(400, "invalid_request", 9002313)
    directory.present(assertion, client_assertion_type="").refused(400, "invalid_request", 900144)
