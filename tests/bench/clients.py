"""Credentials to ask with, and clients that ask as fast as they are answered."""

import http.client
import json
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from credmgr.audit.models import SignIn
from credmgr.audit.recording import Actor
from credmgr.authority.audiences import token_endpoint
from credmgr.credentials.certificates import add_certificate
from credmgr.credentials.client_secrets import add_client_secret
from credmgr.credentials.findings import examine
from credmgr.jose.jwk import x5t
from credmgr.jose.jws import sign
from credmgr.registrations.queries import default_tenant
from credmgr.registrations.registering import register_application

GRAPH_SCOPE = "https://graph.microsoft.com/.default"
CONNECTIONS = 4


@dataclass(frozen=True)
class Order:
    """A token request that can be repeated: path and form body."""

    path: str
    body: str


def orders(now: datetime) -> dict[str, Order]:
    """One application with a secret and a certificate; MSAL presents one assertion for minutes, and so does
    this.
    """
    actor = Actor.command()
    tenant = default_tenant()
    application = register_application(tenant=tenant, display_name="Bench", actor=actor, now=now)
    end = now + timedelta(days=1)
    _, value = add_client_secret(application, description="", start_at=now, end_at=end, actor=actor, now=now)
    key, der = _certificate(now)
    examination = examine(
        application,
        certificate_file=der,
        keep_private_key=False,
        key_file=None,
        password="",
        now=now,
    )
    add_certificate(application, examination=examination, description="", actor=actor, now=now)
    client_id = str(application.client_id)
    claims = {
        "aud": token_endpoint(tenant.id),
        "iss": client_id,
        "sub": client_id,
        "jti": str(uuid.uuid4()),
        "exp": now.timestamp() + 3600,
        "iat": now.timestamp(),
    }
    assertion = sign(claims, key, algorithm="RS256", header={"x5t": x5t(der)})
    path = f"/{tenant.id}/oauth2/v2.0/token"
    form = {"grant_type": "client_credentials", "client_id": client_id, "scope": GRAPH_SCOPE}
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    return {
        "secret": Order(path, urlencode({**form, "client_secret": value})),
        "certificate": Order(
            path, urlencode({**form, "client_assertion_type": kind, "client_assertion": assertion})
        ),
    }


def ask(port: int, order: Order, count: int) -> float:
    """Ask `count` times over a few kept connections; the seconds it took. Every answer must be a token on
    record.
    """
    before = SignIn.objects.filter(error_code=0).count()
    failures: list[str] = []
    threads = [
        threading.Thread(target=_ask, args=(port, order, count // CONNECTIONS, failures))
        for _ in range(CONNECTIONS)
    ]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if failures:
        raise RuntimeError(f"Not a token: {failures[0]}")
    recorded = SignIn.objects.filter(error_code=0).count() - before
    if recorded != count // CONNECTIONS * CONNECTIONS:
        raise RuntimeError(f"{recorded} sign-in records for {count} tokens.")
    return seconds


def _ask(port: int, order: Order, count: int, failures: list[str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    for _ in range(count):
        connection.request("POST", order.path, order.body, headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200 or "access_token" not in json.loads(body):
            failures.append(f"{answer.status} {body[:300]!r}")
            break
    connection.close()


def _certificate(now: datetime) -> tuple[rsa.RSAPrivateKey, bytes]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=365))
    return key, builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
