"""Audit entries are forwarded in order, at least once, whatever happens to the receiver or the server."""

import hmac
import json
import re
import ssl
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from credmgr.audit import forwarding
from credmgr.audit.entry_retention import delete_old_entries
from credmgr.audit.events import EventTag
from credmgr.audit.forwarding import DeliveryError, Send, forward_next, waiting
from credmgr.audit.models import AuditChain, AuditEvent
from credmgr.audit.receivers import problem_with, receiver
from credmgr.audit.recording import Actor, record_event
from credmgr.outbound.origin import Origin
from tests.audit.receivers import Heard, datagrams, syslog_receiver, webhook
from tests.factories import NOW
from tests.flowtest.far_side import make_ca, make_leaf

pytestmark = pytest.mark.django_db
TENANT = uuid.uuid4()
KEY = "k" * 32


@pytest.fixture(autouse=True)
def forwarded(settings: LazySettings) -> None:
    """Something is configured; what it is, each test says itself."""
    settings.AUDIT_FORWARD = "tcp://127.0.0.1:601"


def record(number: int = 1, tenant: uuid.UUID | None = TENANT, name: str = "") -> None:
    for _ in range(number):
        record_event(
            EventTag.SECRET_ADDED, actor=Actor.command(), now=NOW, tenant_id=tenant, object_name=name
        )


def to(address: str, *origins: Origin, ca_file: str = "") -> Send:
    return receiver(address, KEY, ca_file, lambda: origins)


def hook(heard: Heard) -> Send:
    origin = Origin("hook", "127.0.0.1", heard.port, is_private=True, scheme="http")
    return to(f"http://127.0.0.1:{heard.port}/audit", origin)


def drain(send: Send) -> None:
    while forward_next(send):
        pass


def test_each_chain_goes_in_its_order_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding, "BATCH", 2)
    record(5)
    record(1, None)
    assert waiting() == 6
    with syslog_receiver() as heard:
        drain(to(f"tcp://127.0.0.1:{heard.port}"))
        assert heard.positions(TENANT) == [1, 2, 3, 4, 5]
        assert len(heard.entries) == 6
        assert waiting() == 0
        record()
        drain(to(f"tcp://127.0.0.1:{heard.port}"))
    assert heard.positions(TENANT) == [1, 2, 3, 4, 5, 6]


def test_a_message_is_one_line_of_rfc_5424() -> None:
    record(name="line\nbreak \x1b[31m")
    with datagrams() as (port, sock):
        forward_next(to(f"udp://127.0.0.1:{port}"))
        message = sock.recv(65536)
    assert re.match(rb"<110>1 20\d\d-\d\d-\d\dT[0-9:.]+Z \S+ credmgr - audit - \{", message)
    assert not re.search(rb"[\x00-\x1f\x7f]", message)
    entry = json.loads(message.split(b" - audit - ")[1])
    assert (entry["chain"], entry["position"]) == (str(TENANT), 1)
    assert entry["hash"] == bytes(AuditEvent.objects.get().hash or b"").hex()


def test_a_receiver_that_is_away_costs_nothing() -> None:
    record(3)
    with syslog_receiver() as heard:
        port = heard.port
    send = to(f"tcp://127.0.0.1:{port}")
    with pytest.raises(DeliveryError, match="cannot be reached"):
        forward_next(send)
    assert waiting() == 3
    with syslog_receiver(port=port) as heard:
        drain(send)
    assert heard.positions(TENANT) == [1, 2, 3]


def test_a_sender_that_dies_before_noting_it_sends_again(monkeypatch: pytest.MonkeyPatch) -> None:
    record(3)
    with syslog_receiver() as heard:
        send = to(f"tcp://127.0.0.1:{heard.port}")

        def dies(events: object) -> None:
            send(events)  # type: ignore[arg-type]
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            forward_next(dies)
        drain(send)
    assert heard.positions(TENANT) == [1, 2, 3] * 2


def test_tls_needs_a_certificate_that_is_trusted(tmp_path: Path) -> None:
    record(2)
    ca_file, key, certificate = make_ca(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(make_leaf(tmp_path, key, certificate, "localhost"))
    with syslog_receiver(context) as heard:
        address = f"tls://localhost:{heard.port}"
        with pytest.raises(DeliveryError, match="certificate that is not trusted"):
            forward_next(to(address))
        assert waiting() == 2
        drain(to(address, ca_file=str(ca_file)))
        assert heard.positions(TENANT) == [1, 2]


def test_a_webhook_is_told_who_sends_and_takes_with_any_2xx() -> None:
    record(2)
    with webhook() as heard:
        heard.answers = [500, 302, 204]
        send = hook(heard)
        for said in ("answered 500", "redirect"):
            with pytest.raises(DeliveryError, match=said):
                forward_next(send)
        assert waiting() == 2
        drain(send)
    assert heard.positions(TENANT) == [1, 2]
    [headers], [body] = heard.headers, heard.bodies
    assert headers["X-Credmgr-Delivery"] == f"{TENANT}:1-2"
    signed = hmac.new(KEY.encode(), headers["X-Credmgr-Timestamp"].encode() + b"." + body, "sha256")
    assert headers["X-Credmgr-Signature"] == f"v1={signed.hexdigest()}"


def test_a_webhook_that_is_not_listed_is_never_called() -> None:
    """O-1."""
    record()
    with webhook() as heard:
        with pytest.raises(DeliveryError, match="not on the list"):
            forward_next(to(f"http://127.0.0.1:{heard.port}/audit"))
        assert heard.bodies == []


def test_what_was_not_forwarded_is_not_deleted() -> None:
    record(3)
    later = NOW + timedelta(days=10)
    assert delete_old_entries(NOW + timedelta(days=5), actor=Actor.command(), now=later) == 0
    drain(lambda _: None)
    assert delete_old_entries(NOW + timedelta(days=5), actor=Actor.command(), now=later) == 3
    assert AuditChain.objects.get(pk=TENANT).first_position == 4
    assert waiting() == 1


def test_nothing_waits_where_nothing_is_forwarded(settings: LazySettings) -> None:
    settings.AUDIT_FORWARD = ""
    record()
    assert waiting() == 0


@pytest.mark.parametrize(
    ("address", "key", "said"),
    [
        ("tcp://log.example:601", "", ""),
        ("udp://[::1]:514", "", ""),
        ("https://hook.example/audit", KEY, ""),
        ("https://hook.example/audit", "short", "CREDMGR_AUDIT_FORWARD_KEY"),
        ("tcp://log.example:601/path", "", "nothing else"),
        ("tcp://log.example:99999", "", "no address"),
        ("https://name:password@hook.example", KEY, "begins with"),
        ("log.example", "", "begins with"),
        ("ftp://log.example", "", "begins with"),
    ],
)
def test_addresses_that_cannot_be_are_told_in_a_sentence(address: str, key: str, said: str) -> None:
    found = problem_with(address, key)
    assert said in found
    assert bool(found) is bool(said)
