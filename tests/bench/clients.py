"""Credentials to ask with: applications with a secret each, one of them with a certificate too."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from credmgr.audit.recording import Actor
from credmgr.authority.audiences import token_endpoint
from credmgr.credentials.certificates import add_certificate
from credmgr.credentials.client_secrets import add_client_secret
from credmgr.credentials.findings import examine
from credmgr.jose.jwk import x5t
from credmgr.jose.jws import sign
from credmgr.registrations.models import Application, Tenant
from credmgr.registrations.queries import default_tenant
from credmgr.registrations.registering import register_application
from tests.bench.load import post

GRAPH_SCOPE = "https://graph.microsoft.com/.default"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Each is another one to the server: what it knew of the last helps it nothing.
ASSERTIONS = 50
APPLICATIONS = 10
UNKNOWN_CLIENT, WRONG_SECRET, EXPIRED_SECRET = 700016, 7000215, 7000222


@dataclass(frozen=True)
class Requests:
    """Token requests by kind of credential, to be sent in turn."""

    secret: list[bytes]
    certificate: list[bytes]
    # Refused: by the AADSTS code that they earn.
    refused: dict[int, list[bytes]]


def make_clients(now: datetime) -> Requests:
    """Register applications in this process's installation; the requests work in all its copies."""
    tenant = default_tenant()
    # First, because the large tables are filled with copies of the last.
    ended, old = _application_with_secret(tenant, APPLICATIONS, now - timedelta(days=2))
    secrets = [_application_with_secret(tenant, number, now) for number in range(APPLICATIONS)]
    application, _ = secrets[-1]
    key, der = _certificate(now)
    examination = examine(
        application,
        certificate_file=der,
        keep_private_key=False,
        key_file=None,
        password="",
        now=now,
    )
    add_certificate(application, examination=examination, description="", actor=Actor.command(), now=now)
    client_id = str(application.client_id)
    return Requests(
        refused={
            UNKNOWN_CLIENT: [by_secret(tenant.id, str(uuid.uuid4()), old) for _ in range(APPLICATIONS)],
            WRONG_SECRET: [by_secret(tenant.id, str(each.client_id), old) for each, _ in secrets],
            EXPIRED_SECRET: [by_secret(tenant.id, str(ended.client_id), old)],
        },
        secret=[by_secret(tenant.id, str(each.client_id), value) for each, value in secrets],
        certificate=[
            post(
                _path(tenant.id),
                {
                    **_form(client_id),
                    "client_assertion_type": ASSERTION_TYPE,
                    "client_assertion": _assertion(tenant, client_id, key, der, now),
                },
            )
            for _ in range(ASSERTIONS)
        ],
    )


def by_secret(tenant_id: uuid.UUID, client_id: str, value: str) -> bytes:
    """A token request with a client secret."""
    return post(_path(tenant_id), {**_form(client_id), "client_secret": value})


def _path(tenant_id: uuid.UUID) -> str:
    return f"/{tenant_id}/oauth2/v2.0/token"


def _form(client_id: str) -> dict[str, str]:
    return {"grant_type": "client_credentials", "client_id": client_id, "scope": GRAPH_SCOPE}


def _application_with_secret(tenant: Tenant, number: int, now: datetime) -> tuple[Application, str]:
    actor, end = Actor.command(), now + timedelta(days=1)
    application = register_application(tenant=tenant, display_name=f"Bench {number}", actor=actor, now=now)
    _, value = add_client_secret(application, description="", start_at=now, end_at=end, actor=actor, now=now)
    return application, value


def _assertion(tenant: Tenant, client_id: str, key: rsa.RSAPrivateKey, der: bytes, now: datetime) -> str:
    """As MSAL for Python makes them."""
    claims = {
        "aud": token_endpoint(tenant.id),
        "iss": client_id,
        "sub": client_id,
        "jti": str(uuid.uuid4()),
        "exp": now.timestamp() + 7200,
        "iat": now.timestamp(),
    }
    return sign(claims, key, algorithm="RS256", header={"x5t": x5t(der)})


def _certificate(now: datetime) -> tuple[rsa.RSAPrivateKey, bytes]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=365))
    return key, builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
