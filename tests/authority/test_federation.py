"""Federated credentials at the token endpoint: the tokens of a real https issuer on this machine."""

import base64
import gzip
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given
from hypothesis import settings as pace
from hypothesis import strategies as st

from credmgr.audit.recording import Actor
from credmgr.authority import issuer_keys as keys_module
from credmgr.authority.issuer_keys import issuer_keys
from credmgr.credentials.federated import (
    DEFAULT_AUDIENCE,
    add_federated_credential,
    delete_federated_credential,
)
from credmgr.credentials.models import FederatedCredential
from credmgr.env import AllowedOrigin
from credmgr.jose.jwk import public_jwk
from credmgr.registrations.models import Tenant
from tests.authority.assertion_maker import compact
from tests.authority.conftest import Directory
from tests.flowtest.far_side import FarSide, Handler, rsa_key, send, send_json
from tests.fuzzing import examples

SUBJECT = "repo:octo-org/octo-repo:ref:refs/heads/main"
DISCOVERY, KEYS = "/openid-configuration", "/keys"


@dataclass
class Issuer:
    """An outside issuer with a directory that trusts it, and tokens as it would sign them."""

    side: FarSide
    directory: Directory
    credential: FederatedCredential

    @property
    def url(self) -> str:
        """The iss of its tokens."""
        return f"{self.side.url}/pool/v2.0"

    @property
    def asked(self) -> list[str]:
        """The ends of the paths that were fetched from it."""
        return [path.rsplit("/", 1)[1] for _, path, _, _ in self.side.requests]

    def token(self, *, key: Any = None, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A token of the trusted identity; a change to None leaves a claim out."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url,
            "sub": SUBJECT,
            "aud": DEFAULT_AUDIENCE,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            **changes,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        head = {"alg": "RS256", "typ": "JWT", "kid": "far-1", **(header or {})}
        head = {name: value for name, value in head.items() if value is not None}
        return compact(head, kept, key or self.side.signing_key)

    def refused(self, code: int, **changes: Any) -> str:
        """Present a token and be refused with exactly that code; the sentence."""
        error, status = ("invalid_request", 400) if code in (50166, 50027) else ("invalid_client", 401)
        return self.directory.present(self.token(**changes)).refused(status, error, code)


def listed(side: FarSide, **changes: Any) -> AllowedOrigin:
    """The side as an administrator lists it."""
    values: dict[str, Any] = {"is_private": True, "ca_file": str(side.ca_file)} | changes
    return AllowedOrigin("https", "localhost", side.port, **values)


@pytest.fixture
def far_side(tmp_path: Path) -> Iterator[FarSide]:
    """An https server that answers as a good issuer unless told otherwise."""
    side = FarSide(tmp_path)
    yield side
    side.close()


@pytest.fixture
def issuer(directory: Directory, far_side: FarSide, settings: Any) -> Iterator[Issuer]:
    """A listed issuer that the application trusts for one subject."""
    settings.ALLOWED_ORIGINS = [listed(far_side)]
    issuer_keys.forget()
    credential = trust(directory, f"{far_side.url}/pool/v2.0")
    yield Issuer(far_side, directory, credential)
    issuer_keys.forget()


def trust(
    directory: Directory, issuer: str, *, name: str = "main-branch", **given: Any
) -> FederatedCredential:
    """A federated credential of the directory's application."""
    values: dict[str, Any] = {"subject": SUBJECT, "actor": Actor.command(), "now": directory.now} | given
    return add_federated_credential(directory.app, name=name, issuer=issuer, **values)


def test_a_token_of_the_trusted_identity_gets_a_token(issuer: Issuer) -> None:
    """And the sign-in names the credential."""
    token = issuer.directory.present(issuer.token()).token
    claims = json.loads(_payload(token))
    assert (claims["appid"], claims["appidacr"]) == (str(issuer.directory.app.client_id), "2")
    row = issuer.directory.last_sign_in()
    assert (row.error_code, row.credential_type, row.credential_id) == (
        0,
        "federatedIdentityCredential",
        issuer.credential.pk,
    )
    assert issuer.asked == ["openid-configuration", "keys"]


def test_other_credentials_of_the_application_go_on_working(issuer: Issuer, secret: str) -> None:
    assert issuer.directory.ask(client_secret=secret).token
    assert issuer.directory.present(issuer.token()).token


@pytest.mark.parametrize("jti", ["one", 5, "", None])
def test_a12_a_strict_directory_takes_each_token_once(issuer: Issuer, jti: object) -> None:
    """By its jti; by all that is signed where it has none that is a text."""
    Tenant.objects.update(single_use_assertions=True)
    token, directory = issuer.token(jti=jti), issuer.directory
    assert directory.present(token).token
    directory.present(token).refused(401, "invalid_client", 700028)
    assert directory.present(issuer.token(jti="two" if jti == "one" else jti, exp=time.time() + 200)).token


@pytest.mark.parametrize("audience", [DEFAULT_AUDIENCE, [DEFAULT_AUDIENCE]])
def test_f1_the_audience_is_a_text_or_a_list_of_one(issuer: Issuer, audience: object) -> None:
    """F-1."""
    assert issuer.directory.present(issuer.token(aud=audience)).token


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        (700211, {"iss": "https://elsewhere.example.com"}),
        (700211, {"iss": "http://localhost/pool/v2.0"}),
        (700212, {"aud": "api://azureadtokenexchange"}),
        (700212, {"aud": f"{DEFAULT_AUDIENCE}/"}),
        (700213, {"sub": f"{SUBJECT}-2"}),
        (700213, {"sub": SUBJECT[:-1]}),
        (700213, {"sub": f" {SUBJECT}"}),
        (7002138, {"sub": SUBJECT.upper()}),
        (50027, {"aud": [DEFAULT_AUDIENCE, "api://else"]}),
        (50027, {"aud": []}),
        (50027, {"aud": None}),
        (50027, {"sub": None}),
        (50027, {"sub": 7}),
    ],
)
def test_f1_f3_what_does_not_match_is_refused_and_nothing_is_fetched(
    issuer: Issuer, code: int, changes: dict[str, Any]
) -> None:
    """F-1, F-3: match first, fetch after."""
    sentence = issuer.refused(code, **changes)
    if code == 7002138:
        assert f"'{SUBJECT.upper()}'" in sentence
    assert issuer.side.requests == []
    row = issuer.directory.last_sign_in()
    assert (row.error_code, row.credential_type) == (code, "federatedIdentityCredential")
    assert row.credential_id is None


def test_f1_the_issuer_is_compared_to_the_letter(issuer: Issuer) -> None:
    """F-1: a slash at the end is another issuer."""
    issuer.refused(700211, iss=f"{issuer.url}/")
    issuer.refused(700211, iss=issuer.url.upper().replace("HTTPS", "https"))
    issuer.refused(50027, iss=f" {issuer.url}")  # no address, so it is read as a certificate's assertion


def test_an_application_that_trusts_nobody(issuer: Issuer) -> None:
    """70025, before anything else is judged."""
    delete_federated_credential(issuer.credential, actor=Actor.command(), now=issuer.directory.now)
    issuer.refused(70025, aud="wrong", sub="wrong", exp=1, header={"alg": "HS256"})
    assert issuer.side.requests == []


def test_d10_a_deleted_credential_is_refused_with_the_next_request(issuer: Issuer) -> None:
    """Decision 10: kept keys of the issuer change nothing."""
    assert issuer.directory.present(issuer.token()).token
    delete_federated_credential(issuer.credential, actor=Actor.command(), now=issuer.directory.now)
    issuer.refused(70025)


def test_the_order_of_the_codes(issuer: Issuer) -> None:
    """With everything wrong at once the first check speaks; put right one by one, the next does."""
    delete_federated_credential(issuer.credential, actor=Actor.command(), now=issuer.directory.now)
    wrong: dict[str, Any] = {
        "iss": "https://elsewhere.example.com",
        "aud": "wrong",
        "sub": SUBJECT.upper(),
        "header": {"alg": "HS256"},
        "exp": 1,
        "key": rsa_key(3),
    }
    issuer.side.answers["GET", KEYS] = lambda request: send(request, 500, b"")
    seen = []

    def step() -> None:
        issuer_keys.forget()
        answer = issuer.directory.present(issuer.token(**wrong))
        seen.append(answer.body["error_codes"][0] if answer.status != 200 else 0)

    step()
    trust(issuer.directory, issuer.url)
    step()
    del wrong["iss"]
    step()
    del wrong["aud"]
    step()
    wrong["sub"] = "else"
    step()
    del wrong["sub"]
    step()
    del wrong["header"]
    step()
    del issuer.side.answers["GET", KEYS]
    step()
    del wrong["exp"]
    step()
    del wrong["key"]
    step()
    assert seen == [70025, 700211, 700212, 7002138, 700213, 50027, 50166, 700024, 700027, 0]


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "PS256"},
        {"alg": None},
        {"kid": None},
        {"kid": 5},
        {"kid": ""},
    ],
)
def test_a7_what_cannot_be_verified_is_refused_before_a_key_is_fetched(
    issuer: Issuer, header: dict[str, Any]
) -> None:
    """A-7, F-2: RS256 and the ES256 family, and a key that is named."""
    issuer.refused(50027, header=header)
    assert issuer.side.requests == []


def test_a7_keys_and_addresses_in_the_header_are_never_used(issuer: Issuer) -> None:
    """A-7: the forger's own key beside its token."""
    forger = rsa_key(4)
    jwk = {**public_jwk(forger.public_key()), "kid": "far-1"}
    header = {"jwk": jwk, "jku": f"{issuer.side.url}/evil", "x5u": f"{issuer.side.url}/evil"}
    issuer.refused(700027, key=forger, header=header)
    assert issuer.asked == ["openid-configuration", "keys"]


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"exp": 1_000_000_000}, ""),
        ({"exp": int(time.time()) - 400}, ""),
        ({"nbf": int(time.time()) + 3000, "exp": int(time.time()) + 9000}, "clock"),
        ({"exp": int(time.time()) + 90_000}, "at most"),
    ],
)
def test_times_are_judged_as_for_certificates(issuer: Issuer, changes: dict[str, Any], hint: str) -> None:
    """700024, with 5 minutes of skew."""
    assert hint in issuer.refused(700024, **changes)
    assert issuer.directory.present(issuer.token(exp=int(time.time()) - 200, iat=None, nbf=None)).token


@pytest.mark.parametrize("exp", [None, True, "soon", [1]])
def test_an_end_that_is_no_time(issuer: Issuer, exp: object) -> None:
    """W8."""
    issuer.refused(50027, exp=exp)


def test_a_signature_of_another_key(issuer: Issuer) -> None:
    """700027 names the issuer and no certificate."""
    sentence = issuer.refused(700027, key=rsa_key(5))
    assert f"'{issuer.url}'" in sentence
    assert "Thumbprint" not in sentence


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_f2_elliptic_curves(issuer: Issuer, curve: ec.EllipticCurve) -> None:
    """F-2."""
    key = ec.generate_private_key(curve)
    algorithm = {256: "ES256", 384: "ES384", 521: "ES512"}[curve.key_size]
    keys = {"keys": [{**public_jwk(key.public_key()), "kid": "ec-1"}]}
    issuer.side.answers["GET", KEYS] = lambda request: send_json(request, 200, keys)
    assert issuer.directory.present(issuer.token(key=key, header={"alg": algorithm, "kid": "ec-1"})).token
    issuer.refused(700027, header={"kid": "ec-1"})  # RS256 named for an EC key


def test_f2_a_symmetric_key_is_no_key(issuer: Issuer) -> None:
    """F-2: nothing but RSA and EC public keys."""
    keys = {"keys": [{"kty": "oct", "kid": "far-1", "k": "AAAA"}]}
    issuer.side.answers["GET", KEYS] = lambda request: send_json(request, 200, keys)
    issuer.refused(50166)


def discovery(**changes: Any) -> Callable[[Issuer], Callable[[Handler], None]]:
    """A discovery document that is wrong in one member; a change to None leaves it out."""

    def make(issuer: Issuer) -> Callable[[Handler], None]:
        document = {
            "issuer": issuer.url,
            "jwks_uri": f"{issuer.side.url}/pool/discovery/v2.0/keys",
            **changes,
        }
        kept = {name: value for name, value in document.items() if value is not None}
        return lambda request: send_json(request, 200, kept)

    return make


def body(status: int, content: bytes, **headers: str) -> Callable[[Issuer], Callable[[Handler], None]]:
    """Any answer."""
    return lambda _issuer: lambda request: send(request, status, content, **headers)


TROUBLE: dict[str, tuple[str, Callable[[Issuer], Callable[[Handler], None]], str]] = {
    "another issuer": (DISCOVERY, discovery(issuer="https://else.example.com"), "names another issuer"),
    "a slash more": (DISCOVERY, lambda one: discovery(issuer=f"{one.url}/")(one), "names another issuer"),
    "no issuer": (DISCOVERY, discovery(issuer=None), "names another issuer"),
    "no key set": (DISCOVERY, discovery(jwks_uri=None), "names no key set"),
    "a key set elsewhere": (
        DISCOVERY,
        discovery(jwks_uri="https://else.example.com/keys"),
        "not on the list",
    ),
    "a key set on another port": (
        DISCOVERY,
        discovery(jwks_uri="https://localhost:1/keys"),
        "not on the list",
    ),
    "a key set over http": (DISCOVERY, discovery(jwks_uri="http://localhost/keys"), "without https"),
    "a key set in a file": (DISCOVERY, discovery(jwks_uri="file:///etc/passwd"), "without https"),
    "not found": (DISCOVERY, body(404, b"{}"), "HTTP 404"),
    "not JSON": (DISCOVERY, body(200, b"<html>"), "not a JSON object"),
    "a list": (DISCOVERY, body(200, b"[]"), "not a JSON object"),
    "deep nesting": (DISCOVERY, body(200, b"[" * 5000), "nested too deeply"),
    "a redirect": (DISCOVERY, body(302, b"", Location="/else"), "redirect"),
    "compressed": (DISCOVERY, body(200, gzip.compress(b"{}"), Content_Encoding="gzip"), "compressed"),
    "huge": (KEYS, body(200, b" " * 300_000), "larger than 256 KB"),
    "keys that are no list": (KEYS, body(200, b'{"keys": 5}'), "not a list of keys"),
    "keys that are not JSON": (KEYS, body(200, b"no"), "not a JSON object"),
    "an error": (KEYS, body(503, b"{}"), "HTTP 503"),
    "silence": (DISCOVERY, lambda one: one.side.silence, "within"),
    "drops": (KEYS, lambda one: one.side.drip, "within"),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_f2_f4_an_issuer_that_cannot_be_used(
    issuer: Issuer, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-2, F-4: 50166 with the reason, within the time cap, and on record with the credential."""
    end, make, reason = TROUBLE[trouble]
    if reason == "within":  # elsewhere a busy machine may take its time
        monkeypatch.setattr(keys_module, "FETCH_SECONDS", 0.6)
    issuer.side.answers["GET", end] = make(issuer)
    began = time.monotonic()
    sentence = issuer.refused(50166)
    assert time.monotonic() - began < 10
    assert reason in sentence
    row = issuer.directory.last_sign_in()
    assert (row.error_code, row.credential_id) == (50166, issuer.credential.pk)
    count = len(issuer.side.requests)
    issuer.refused(50166)
    assert len(issuer.side.requests) == count, "a failure is remembered for a moment"


def test_o1_an_issuer_that_is_not_listed_is_not_called(issuer: Issuer, settings: Any) -> None:
    """O-1: the credential may be kept, the address is not called."""
    settings.ALLOWED_ORIGINS = []
    assert "not on the list" in issuer.refused(50166)
    assert issuer.side.requests == []


def test_o3_a_private_address_needs_its_mark(issuer: Issuer, settings: Any) -> None:
    """O-3."""
    settings.ALLOWED_ORIGINS = [listed(issuer.side, is_private=False)]
    assert "private address" in issuer.refused(50166)
    assert issuer.side.requests == []


def test_an_issuer_with_an_untrusted_certificate(issuer: Issuer, settings: Any) -> None:
    """The public roots do not know the far side's CA."""
    settings.ALLOWED_ORIGINS = [listed(issuer.side, ca_file="")]
    assert "certificate of this host is not trusted" in issuer.refused(50166)


def test_an_issuer_that_is_down(issuer: Issuer) -> None:
    issuer.side.close()
    assert "Nothing answers" in issuer.refused(50166)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_HEADER = st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5c"]), _JSON)
_CLAIMS = st.dictionaries(st.sampled_from(["sub", "aud", "exp", "nbf", "iat", "jti", "azp"]), _JSON)


@pace(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(header=_HEADER, claims=_CLAIMS, is_near=st.booleans())
def test_any_assertion_of_a_trusted_issuer_is_refused_by_its_code(
    directory: Directory, header: dict[str, Any], claims: dict[str, Any], is_near: bool
) -> None:
    """Each claim and header of any type, alone or beside right ones, up to the issuer's keys."""
    url = "https://issuer.example.com/pool"
    if not FederatedCredential.objects.exists():
        trust(directory, url)
    right: dict[str, Any] = {"aud": DEFAULT_AUDIENCE, "sub": SUBJECT, "exp": int(time.time()) + 300}
    told = {"alg": "RS256", "kid": "far-1"} if is_near else {}
    parts = ({**told, **header}, {**(right if is_near else {}), **claims, "iss": url})
    encoded = [base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in parts]
    answer = directory.present(".".join([*encoded, "c2lnbmF0dXJl"]))
    assert answer.status in (400, 401)
    answer.refused(answer.status, answer.body["error"], answer.body["error_codes"][0])


def test_a_slash_at_the_issuers_end_goes_before_discovery(issuer: Issuer) -> None:
    """OpenID Connect Discovery 1.0, section 4."""
    url = f"{issuer.side.url}/slashed/"
    trust(issuer.directory, url, name="slashed")
    assert issuer.directory.present(issuer.token(iss=url)).token
    assert issuer.side.requests[0][1] == "/slashed/.well-known/openid-configuration"


def test_a16_no_answer_repeats_the_assertion(issuer: Issuer, caplog: pytest.LogCaptureFixture) -> None:
    """A-16: neither whole nor in parts, for a subject that looks like a token too."""
    token = issuer.token(key=rsa_key(5))
    answer = issuer.directory.present(token)
    sub = issuer.directory.present(issuer.token(sub=token))
    for text in (answer.response.content.decode(), sub.response.content.decode(), caplog.text):
        assert not any(part in text for part in token.split("."))
    assert sub.body["error_codes"] == [700213]


def _payload(token: str) -> bytes:
    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_the_scope_is_judged_after_the_assertion(issuer: Issuer) -> None:
    """W1: the credential before the scope."""
    issuer.directory.present(issuer.token(), scope="nonsense").refused(400, "invalid_scope", 1002012)
    issuer.directory.present(issuer.token(sub="else"), scope="nonsense").refused(
        401, "invalid_client", 700213
    )
