"""The list: where its entries come from, adding one, removing one, what a connection makes of it."""

import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from credmgr import env
from credmgr.audit.models import AuditEvent
from credmgr.audit.recording import Actor
from credmgr.origins import changing
from credmgr.origins.changing import add_origin, remove_origin
from credmgr.origins.errors import OriginError, OriginNotFoundError
from credmgr.origins.models import AllowedOrigin
from credmgr.origins.queries import allowed_origins, is_allowed, listed_origins
from credmgr.outbound.deadline import Deadline
from credmgr.outbound.errors import Failure, OutboundError
from credmgr.outbound.session import GuardedSession
from tests.flowtest.far_side import FarSide, make_ca, send

pytestmark = [pytest.mark.django_db, pytest.mark.database]
NOW = datetime(2026, 11, 23, 14, 52, 6, tzinfo=UTC)
KEY = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"


def listed(address: str = "https://idp.example.com", **given: Any) -> AllowedOrigin:
    """An origin put on the list by the act."""
    defaults: dict[str, Any] = {"actor": Actor.command(), "now": NOW}
    return add_origin(address=address, **(defaults | given))


def refused(**given: Any) -> OriginError:
    """How adding was refused; nothing was stored."""
    before = AllowedOrigin.objects.count()
    with pytest.raises(OriginError) as caught:
        listed(**given)
    assert AllowedOrigin.objects.count() == before
    return caught.value


def fetch(url: str) -> str:
    """One GET through the guarded door with the list as it is."""
    with Deadline(5) as deadline:
        session = GuardedSession(allowed_origins(), deadline)
        try:
            return session.send("GET", url, headers={}).text
        finally:
            session.close()


def failure_of(url: str) -> Failure:
    """The failure a GET ends with."""
    with pytest.raises(OutboundError) as caught:
        fetch(url)
    return caught.value.failure


@pytest.fixture
def far_side(tmp_path: Path) -> Any:
    """An https server with a CA of its own."""
    side = FarSide(tmp_path)
    side.answers["GET", "/hello"] = lambda request: send(request, 200, b"hello")
    yield side
    side.close()


def test_o1_the_list_is_what_is_configured_added_and_well_known(
    settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Decision 16: exact origins; marks say what else an entry allows."""
    ca_file = tmp_path / "ca.pem"
    ca_file.touch()
    monkeypatch.setenv(
        "CREDMGR_ALLOWED_ORIGINS",
        f"https://IDP.example.com, https://10.0.0.7:6443 private ca={ca_file},"
        "http://localhost:9000 http private",
    )
    settings.ALLOWED_ORIGINS = env.origins("CREDMGR_ALLOWED_ORIGINS")
    listed("https://added.example.com:8443", name="Added", is_private=True)
    found = {each.origin.address: each for each in listed_origins()}
    assert {address: each.source for address, each in found.items()} == {
        "https://localhost:8443": "built-in",
        "https://idp.example.com": "setting",
        "https://10.0.0.7:6443": "setting",
        "http://localhost:9000": "setting",
        "https://added.example.com:8443": "page",
        "https://login.microsoftonline.com": "known",
        "https://login.microsoftonline.us": "known",
        "https://login.partner.microsoftonline.cn": "known",
        "https://login.sovcloud-identity.fr": "known",
        "https://login.sovcloud-identity.de": "known",
        "https://login.sovcloud-identity.sg": "known",
        "https://token.actions.githubusercontent.com": "known",
    }
    assert {address for address, each in found.items() if each.origin.is_private} == {
        "https://localhost:8443",
        "https://10.0.0.7:6443",
        "http://localhost:9000",
        "https://added.example.com:8443",
    }
    assert found["https://10.0.0.7:6443"].origin.ca_file == ca_file
    assert found["https://idp.example.com"].origin.ca_file.is_file()
    assert [each.origin for each in listed_origins()] == allowed_origins()
    assert is_allowed("https://idp.example.com/tenant")
    for other in ("http://idp.example.com/", "https://idp.example.com:8443/", "https://localhost:9000/"):
        assert not is_allowed(other)


def test_the_whole_list_costs_one_query(django_assert_num_queries: Any) -> None:
    for number in range(20):
        listed(f"https://idp-{number}.example.com")
    with django_assert_num_queries(1):
        assert len(allowed_origins()) == 28


def test_an_added_origin_is_called_and_a_removed_one_is_not(far_side: FarSide) -> None:
    """Decision 10: with the very next request; and the audit tells of both."""
    url = f"{far_side.url}/hello"
    assert failure_of(url) is Failure.NOT_LISTED
    row = listed(far_side.url, name="Far side", is_private=True, ca_text=far_side.ca_file.read_text())
    assert fetch(url) == "hello"
    remove_origin(row, actor=Actor.command(), now=NOW)
    assert failure_of(url) is Failure.NOT_LISTED
    assert len(far_side.requests) == 1
    events = list(AuditEvent.objects.order_by("sequence").values_list("tag", "object_name", "changes"))
    marks = {"privateAddresses": True, "ownCa": True}
    assert events == [
        ("outbound:origin:added", far_side.url, marks),
        ("outbound:origin:removed", far_side.url, marks),
    ]
    with pytest.raises(OriginNotFoundError):
        remove_origin(row, actor=Actor.command(), now=NOW)
    assert AuditEvent.objects.count() == 2


def test_the_ca_given_is_trusted_and_no_other(far_side: FarSide, tmp_path: Path) -> None:
    """Not the public roots either: without it, and with another, the connection is refused."""
    url = f"{far_side.url}/hello"
    row = listed(far_side.url, is_private=True)
    assert failure_of(url) is Failure.TLS
    remove_origin(row, actor=Actor.command(), now=NOW)
    (tmp_path / "other").mkdir()
    wrong, _, _ = make_ca(tmp_path / "other", "wrong")
    row = listed(far_side.url, is_private=True, ca_text=wrong.read_text())
    assert failure_of(url) is Failure.TLS
    remove_origin(row, actor=Actor.command(), now=NOW)
    both = f"Subject: wrong\n{wrong.read_text()}\r\n\r\nand\r\n{far_side.ca_file.read_text()}"
    row = listed(far_side.url, is_private=True, ca_text=both)
    assert row.ca_pem.count("BEGIN CERTIFICATE") == 2
    assert "Subject" not in row.ca_pem
    assert fetch(url) == "hello"
    remove_origin(row, actor=Actor.command(), now=NOW)
    der = ssl.PEM_cert_to_DER_cert(far_side.ca_file.read_text())
    listed(far_side.url, is_private=True, ca_file=der)
    assert fetch(url) == "hello"


def test_o3_a_name_that_leads_to_a_private_address_needs_the_mark(
    far_side: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told at the call, not at the entry: what a name leads to can change."""
    listed("https://idp.example.com", ca_text=far_side.ca_file.read_text())

    def look_up(*args: object, **kwargs: object) -> list[object]:
        return [(2, 1, 6, "", ("10.0.0.1", 443))]

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    assert failure_of("https://idp.example.com/hello") is Failure.ADDRESS


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://localhost:8443", "already: built in"),
        ("https://IDP.example.com:443/", "Remove that entry first"),
        ("https://setting.example.com", "already: setting CREDMGR_ALLOWED_ORIGINS"),
        ("https://login.microsoftonline.com", "already: well known"),
    ],
)
def test_what_is_listed_is_not_listed_twice(address: str, words: str, settings: Any) -> None:
    settings.ALLOWED_ORIGINS = [env.AllowedOrigin("https", "setting.example.com", 443, False, "")]
    listed()
    error = refused(address=address, is_private=True)
    assert (error.field, words in error.message) == ("address", True), error.message


def test_the_number_of_added_origins_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changing, "ORIGINS_MAX", 1)
    listed()
    assert "Remove one first" in refused(address="https://other.example.com").message


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"name": "n" * 121}, "name", "121 characters"),
        ({"name": "two\nlines"}, "name", "line breaks"),
        ({"ca_text": "no certificate"}, "ca_text", "holds no certificate"),
        ({"ca_file": b"\xff\xfe\x00"}, "ca_file", "holds no certificate"),
        ({"ca_text": KEY}, "ca_text", "holds a private key"),
        ({"ca_file": KEY.encode()}, "ca_file", "holds a private key"),
        ({"ca_file": b"0\x82\x01\x00rubbish"}, "ca_file", "damaged"),
        (
            {"ca_text": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"},
            "ca_text",
            "damaged",
        ),
        ({"ca_file": b"x" * 65537}, "ca_file", "larger than 64 KB"),
        ({"ca_text": "x", "ca_file": b"y"}, "ca_file", "not both"),
        ({"ca_text": "x", "address": "http://localhost", "is_http": True}, "ca_text", "Plain http"),
    ],
)
def test_what_cannot_be_stored_is_said_at_its_field(given: dict[str, Any], field: str, words: str) -> None:
    error = refused(**({"is_private": True} | given))
    assert (error.field, words in error.message) == (field, True), error.message
    assert "MIIB" not in error.message


def test_an_expired_ca_and_too_many_are_refused(far_side: FarSide) -> None:
    pem = far_side.ca_file.read_text()
    later = datetime(2099, 1, 1, tzinfo=UTC)
    assert "ended on" in refused(ca_text=pem, now=later).message
    assert "21 certificates" in refused(ca_text=pem * 21).message


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_entry() -> None:
    """C-2: the constraint decides, and the slower one is told the same as a later one."""

    def add(_: int) -> str:
        try:
            listed("https://idp.example.com")
        except OriginError as error:
            return error.code
        finally:
            connection.close()
        return "added"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(add, range(4)))
    assert outcomes == ["added", "origin_listed", "origin_listed", "origin_listed"]
    assert AllowedOrigin.objects.count() == 1
