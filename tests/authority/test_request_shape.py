"""What is decided before a client is known: method, size, form, one credential, the directory (W1, W4, A-1
to A-6).
"""

import base64
import io
import random
import uuid
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.handlers.wsgi import LimitedStream
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credmgr.audit.models import SignIn
from credmgr.audit.sign_ins import refusals_without_row
from credmgr.authority.refusals import RefusalError
from credmgr.authority.token_request import read_token_request
from tests.authority.conftest import FORM, Answer, Directory, unknown_guid
from tests.fuzzing import examples

Form = dict[str, Any]


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_other_methods(directory: Directory, method: str) -> None:
    """A-1, W4: 405 with Allow, 900561."""
    answer = Answer(getattr(directory.client, method)(directory.path))
    assert answer.response["Allow"] == "POST"
    if method != "head":
        answer.refused(405, "invalid_request", 900561)


MISSING: list[tuple[Form, int, str, int]] = [
    ({"grant_type": None}, 400, "invalid_request", 900144),
    ({"grant_type": ""}, 400, "invalid_request", 900144),
    ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
    ({"grant_type": "CLIENT_CREDENTIALS"}, 400, "unsupported_grant_type", 70003),
    ({"grant_type": "client_credentials "}, 400, "unsupported_grant_type", 70003),
    ({"client_secret": None}, 401, "invalid_client", 7000216),
    ({"client_secret": ""}, 401, "invalid_client", 7000216),
    ({"client_id": None, "client_secret": None}, 401, "invalid_client", 7000216),
    ({"client_id": None}, 400, "invalid_request", 900144),
    ({"client_id": ""}, 400, "invalid_request", 900144),
    ({"scope": None}, 400, "invalid_request", 900144),
    ({"scope": ""}, 400, "invalid_request", 900144),
    ({"resource": "https://graph.microsoft.com"}, 400, "invalid_request", 901002),
    ({"resource": "https://graph.microsoft.com", "scope": None}, 400, "invalid_request", 901002),
    ({"scope": "User.Read"}, 400, "invalid_scope", 1002012),
    ({"scope": "https://graph.microsoft.com/User.Read"}, 400, "invalid_scope", 1002012),
    ({"scope": "https://graph.microsoft.com"}, 400, "invalid_scope", 1002012),
    ({"scope": "api://orders/read api://orders/.default"}, 400, "invalid_scope", 1002012),
    ({"scope": "https://graph.microsoft.com/.Default"}, 400, "invalid_scope", 1002012),
    ({"scope": "openid profile"}, 400, "invalid_scope", 1002012),
    ({"scope": "api://a/.default api://b/.default"}, 400, "invalid_scope", 28000),
    ({"scope": "api://a/.default User.Read"}, 400, "invalid_scope", 28000),
    ({"scope": 'api://"a"/.default'}, 400, "invalid_scope", 70011),
    ({"scope": "api://a/.default\n"}, 400, "invalid_scope", 70011),
    ({"scope": " api://a/.default"}, 400, "invalid_scope", 70011),
    ({"scope": "api://ä/.default"}, 400, "invalid_scope", 70011),
    ({"scope": "api://a/.default\x00"}, 400, "invalid_scope", 70011),
    ({"scope": "/.default"}, 400, "invalid_scope", 70011),
    ({"scope": "api://nobody/.default"}, 400, "invalid_resource", 500011),
    ({"scope": "https://graph.microsoft.com/v1.0/.default"}, 400, "invalid_resource", 500011),
    ({"scope": f"{uuid.UUID(int=7)}/.default"}, 400, "invalid_resource", 500011),
    ({"scope": f"api://{'x' * 9000}/.default"}, 400, "invalid_resource", 500011),
]


@pytest.mark.parametrize("row", MISSING, ids=lambda row: f"{row[3]}-{repr(row[0])[:60]}")
def test_parameters(directory: Directory, secret: str, row: tuple[Form, int, str, int]) -> None:
    """Scope, resource and request shape: each code that one parameter can cause."""
    changes, status, error, code = row
    directory.ask(**{"client_secret": secret, **changes}).refused(status, error, code)


def test_what_is_missing_is_named(directory: Directory) -> None:
    """900144 says which parameter, 70003 which grant, in quotes."""
    assert "'grant_type'" in directory.ask(grant_type=None).refused(400, "invalid_request", 900144)
    text = directory.ask(grant_type="device_code").refused(400, "unsupported_grant_type", 70003)
    assert "'device_code'" in text


def test_the_scope_is_judged_after_the_credential(directory: Directory, secret: str) -> None:
    """W1."""
    directory.ask(client_secret="wrong", scope="nonsense").refused(401, "invalid_client", 7000215)
    directory.ask(client_secret=secret, scope="nonsense").refused(400, "invalid_scope", 1002012)


def test_a_disabled_resource(directory: Directory, secret: str) -> None:
    """500014 names it."""
    api = directory.register("Orders API", identifier_uri="api://orders")
    type(api).objects.filter(pk=api.pk).update(is_disabled=True)
    text = directory.ask(client_secret=secret, scope="api://orders/.default").refused(
        400, "invalid_resource", 500014
    )
    assert "'api://orders'" in text


TENANTS = [
    (str(uuid.UUID(int=0)), 900021),
    ("11111111-1111-1111-1111-111111111111", 90002),
    ("nobody.onmicrosoft.example", 90002),
    ("contoso", 900023),
    ("11111111111111111111111111111111", 900023),
    ("a b.example", 900023),
    ("-bad.example", 900023),
    ("x" * 300 + ".example", 900023),
    ("exämple.com", 900023),
    ("common", 9001023),
    ("CONSUMERS", 9001023),
    ("organizations", 50059),
]


@pytest.mark.parametrize(("tenant", "code"), TENANTS, ids=[f"{code}-{text[:20]}" for text, code in TENANTS])
def test_directories(directory: Directory, secret: str, tenant: str, code: int) -> None:
    """Judged before the client is looked at, and without a row."""
    path = f"/{tenant}/oauth2/v2.0/token"
    directory.ask(client_secret=secret, path=path).refused(400, "invalid_request", code)
    directory.ask(client_secret=secret, path=path, client_id=unknown_guid()).refused(
        400, "invalid_request", code
    )
    assert not SignIn.objects.exists()


def test_two_ways_to_authenticate(directory: Directory, secret: str) -> None:
    """A-3: 9002313, and an empty parameter is an absent one (W4)."""
    pair = f"{directory.app.client_id}:{secret}".encode()
    headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    directory.ask(client_secret=secret, client_assertion="x").refused(400, "invalid_request", 9002313)
    directory.ask(client_secret=secret, headers=headers).refused(400, "invalid_request", 9002313)
    directory.ask(client_assertion="x", headers=headers).refused(400, "invalid_request", 9002313)
    assert directory.ask(client_secret=secret, client_assertion="").status == 200
    assert directory.ask(client_secret="", headers=headers).status == 200


@pytest.mark.parametrize("credentials", ["", "!!!", "YQ", "YWI=", base64.b64encode(b"\xff\xfe:x").decode()])
def test_basic_that_cannot_be_read(directory: Directory, credentials: str) -> None:
    """A-4: malformed, not wrong."""
    directory.ask(headers={"Authorization": f"Basic {credentials}"}).refused(400, "invalid_request", 9002313)


def test_basic_for_another_client(directory: Directory, secret: str) -> None:
    """The body must not name another client than the header."""
    pair = base64.b64encode(f"{unknown_guid()}:{secret}".encode()).decode()
    directory.ask(headers={"Authorization": f"Basic {pair}"}).refused(400, "invalid_request", 9002313)


@pytest.mark.parametrize("name", ["scope", "client_id", "client_secret", "grant_type", "unheard_of"])
def test_a_parameter_given_twice(directory: Directory, secret: str, name: str) -> None:
    """A-2, also when both are equal or empty."""
    body = urlencode({**directory.form(client_secret=secret), "unheard_of": "1"})
    for extra in ("same", ""):
        directory.post(f"{body}&{name}={extra}").refused(400, "invalid_request", 9002313)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        "",
        "application/x-www-form-urlencoded; charset=utf-16",
        "application/x-www-form-urlencoded; charset=latin-1",
        "application/x-www-form-urlencodedx",
    ],
)
def test_other_content_types(directory: Directory, secret: str, content_type: str) -> None:
    """A-1."""
    body = urlencode(directory.form(client_secret=secret))
    directory.post(body, content_type=content_type).refused(400, "invalid_request", 9002313)


def test_utf8_may_be_named(directory: Directory, secret: str) -> None:
    """As .NET does."""
    body = urlencode(directory.form(client_secret=secret))
    for charset in ("; charset=utf-8", ';charset="UTF-8"'):
        assert directory.post(body, content_type=FORM + charset).status == 200


def test_sizes(directory: Directory, secret: str) -> None:
    """A-1: 64 KB and 100 fields, each exactly."""
    body = urlencode(directory.form(client_secret=secret)) + "&filler="
    assert directory.post(body + "x" * (65536 - len(body))).status == 200
    directory.post(body + "x" * (65537 - len(body))).refused(413, "invalid_request", 9002313)
    directory.post("x" * 5_000_000).refused(413, "invalid_request", 9002313)
    fields = urlencode(directory.form(client_secret=secret))
    assert directory.post(fields + "".join(f"&f{number}=" for number in range(96))).status == 200
    directory.post(fields + "".join(f"&f{number}=" for number in range(97))).refused(
        400, "invalid_request", 9002313
    )


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, 411),
        ({"HTTP_CONTENT_ENCODING": "gzip"}, 400),
        ({"CONTENT_LENGTH": "abc"}, 400),
        ({"CONTENT_LENGTH": "-5"}, 400),
        ({"CONTENT_LENGTH": "9" * 5000}, 413),
        ({"CONTENT_LENGTH": "²"}, 400),
    ],
    ids=repr,
)
def test_framing(directory: Directory, environ: dict[str, Any], status: int) -> None:
    """W4: chunked is 411; lengths that lie are malformed."""
    response = directory.client.post(
        directory.path, "grant_type=client_credentials", content_type=FORM, **environ
    )
    Answer(response).refused(status, "invalid_request", 9002313)


def test_a_body_shorter_than_it_says(directory: Directory) -> None:
    """W4: a connection that broke off in the middle is not a smaller request."""
    body = io.BytesIO(b"grant_type=client_credentials")
    request = RequestFactory().post(directory.path, content_type=FORM)
    request.META["CONTENT_LENGTH"] = "60000"
    request._stream = LimitedStream(body, 60000)  # type: ignore[assignment] # what the server hands over
    with pytest.raises(RefusalError) as refusal:
        read_token_request(request)
    assert refusal.value.code == 9002313


def test_no_body_at_all(directory: Directory) -> None:
    """An empty POST lacks its first parameter."""
    directory.post(b"", content_type="").refused(400, "invalid_request", 900144)


@pytest.mark.parametrize("body", [b"grant_type=%FF", b"grant_type=\xff", b"%C3%28=x", b"a=%ED%A0%80"])
def test_bad_utf8(directory: Directory, body: bytes) -> None:
    """A-1."""
    directory.post(body).refused(400, "invalid_request", 9002313)


def test_parameters_in_the_address_are_not_read(directory: Directory, secret: str) -> None:
    """A-2."""
    path = f"{directory.path}?{urlencode(directory.form(client_secret=secret))}"
    directory.post(b"", path=path).refused(400, "invalid_request", 900144)


def test_what_leaves_no_row_is_counted(directory: Directory, caplog: pytest.LogCaptureFixture) -> None:
    """Decision 9: a log line and a counter, nothing of what was sent."""
    before = refusals_without_row.counts().get(70003, 0)
    with caplog.at_level("INFO", logger="credmgr.audit.sign_ins"):
        directory.ask(grant_type="canary-grant")
    assert refusals_without_row.counts()[70003] == before + 1
    assert not SignIn.objects.exists()
    assert any(getattr(record, "aadsts", 0) == 70003 for record in caplog.records)
    assert "canary-grant" not in caplog.text


def test_secrets_in_the_wrong_field_are_not_repeated(
    directory: Directory, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A-16: whatever field a secret or a token is pasted into, no answer, row or log line shows it."""
    token = directory.ask(client_secret=secret).token
    with caplog.at_level("DEBUG"):
        for value in (secret, token, f"api://{secret}/.default", "-----BEGIN PRIVATE KEY-----MII"):
            for name in (
                "client_id",
                "scope",
                "grant_type",
                "client_secret",
                "resource",
                "client_assertion_type",
            ):
                given: dict[str, Any] = {"client_secret": secret, name: value}
                answer = directory.ask(**given)
                if answer.status != 200:
                    assert value not in answer.response.content.decode()
            path = f"/{value}/oauth2/v2.0/token"
            assert value not in directory.ask(client_secret=secret, path=path).response.content.decode()
    assert secret not in caplog.text
    assert token not in caplog.text
    stored = str(list(SignIn.objects.values()))
    assert secret not in stored
    assert token not in stored


# ---------------------------------------------------------------------------------------- hundreds of bad
# requests
_WORDS = [
    "client_credentials",
    "",
    "a",
    "\x00",
    "é",
    "\u202e",
    "'",
    '"',
    "<b>",
    "%",
    "../",
    "x" * 3000,
    "{}",
    "[1]",
]
_NAMES = [
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "scope",
    "resource",
    "claims",
    "",
    "\x00",
    "GRANT_TYPE",
]


def _bad_request(rng: random.Random, directory: Directory, secret: str) -> dict[str, Any]:
    form: dict[str, Any] = {"client_secret": secret} if rng.random() < 0.7 else {}
    for _ in range(rng.randrange(1, 5)):
        form[rng.choice(_NAMES)] = rng.choice([*_WORDS, None, str(directory.app.client_id), unknown_guid()])
    body = urlencode(directory.form(**form)).encode()
    if rng.random() < 0.4:
        place = rng.randrange(len(body) + 1)
        body = body[:place] + bytes([rng.randrange(256)]) * rng.randrange(1, 4) + body[place:]
    headers: dict[str, str] = {}
    if rng.random() < 0.2:
        noise = base64.b64encode(rng.randbytes(rng.randrange(40))).decode()
        headers["Authorization"] = rng.choice([f"Basic {noise}", "Basic", "Bearer x", "basic a:b", ""])
    return {
        "body": body,
        "headers": headers,
        "content_type": rng.choice([FORM] * 6 + ["", "application/json", f"{FORM}; charset=x"]),
        "path": rng.choice(
            [directory.path] * 6 + ["/common/oauth2/v2.0/token", "/%00/oauth2/v2.0/token", "/a.b/oauth2"]
        ),
    }


@pytest.mark.parametrize("seed", range(10))
def test_four_hundred_bad_requests(directory: Directory, secret: str, seed: int) -> None:
    """JSON with a known status, never a 5xx, never the secret."""
    rng = random.Random(seed)  # noqa: S311 - repeatable noise
    for _ in range(40):
        request = _bad_request(rng, directory, secret)
        answer = directory.post(request.pop("body"), **request)
        assert answer.status in (200, 400, 401, 404, 405), request
        assert secret not in answer.response.content.decode()
        if answer.status != 200:
            code = answer.body["error_codes"][0]
            answer.refused(answer.status, answer.body["error"], code)


@settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.binary(max_size=400) | st.text(max_size=200).map(lambda text: f"grant_type={text}".encode()))
def test_any_bytes_are_answered(directory: Directory, body: bytes) -> None:
    """A-1: JSON for any body."""
    answer = directory.post(body)
    answer.refused(answer.status, answer.body["error"], answer.body["error_codes"][0])
    assert answer.status in (400, 401)


@settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    values=st.fixed_dictionaries(
        {},
        optional={name: st.text(max_size=60) for name in ("client_id", "scope", "resource", "client_secret")},
    )
)
def test_any_values_are_answered(directory: Directory, values: dict[str, str]) -> None:
    """Text of any script, control characters and half characters included, in any field."""
    body = urlencode(directory.form(**values), errors="surrogatepass")
    answer = directory.post(body)
    answer.refused(answer.status, answer.body["error"], answer.body["error_codes"][0])
