"""A far side of the wire that misbehaves on demand: https on localhost with a CA of its own.

FarSide answers what `answers` says per (method, end of path): a function that gets the request handler. With
no entry it is a well-behaved authority that issues RS256 tokens.
"""

import base64
import datetime as dt
import ipaddress
import json
import ssl
import threading
import time
import uuid
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Handler = BaseHTTPRequestHandler
DAY = dt.timedelta(days=1)


@lru_cache(maxsize=8)
def rsa_key(number: int) -> rsa.RSAPrivateKey:
    """One of a few keys, made once per process: making them costs more than any test here."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def make_ca(folder: Path, name: str = "ca") -> tuple[Path, ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A CA whose certificate lies in folder/<name>.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path, key, certificate


def make_leaf(folder: Path, key: ec.EllipticCurvePrivateKey, ca: x509.Certificate, *hosts: str) -> Path:
    """Key and certificate for host names, in one PEM file."""
    own = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
    names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(hosts[0]))
        .issuer_name(ca.subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"leaf-{hosts[0]}.pem"
    path.write_bytes(
        own.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


class FarSide:
    """One https server on a free port of 127.0.0.1, ended by close()."""

    def __init__(self, folder: Path, *hosts: str) -> None:
        self.ca_file, key, certificate = make_ca(folder)
        leaf = make_leaf(folder, key, certificate, *(hosts or ("localhost",)))
        self.answers: dict[tuple[str, str], Callable[[Handler], None]] = {}
        self.requests: list[tuple[str, str, dict[str, str], str]] = []
        self.signing_key = rsa_key(0)
        self.claims: dict[str, Any] = {}
        self.released = threading.Event()
        side = self

        class OneHandler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                side.handle(self)

            def do_POST(self) -> None:
                side.handle(self)

            def log_message(self, *_args: Any) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_args: Any) -> None:
                return  # clients here break off on purpose

        self._server = Server(("127.0.0.1", 0), OneHandler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(leaf)
        # The handshake belongs to the connection's own thread, or one refused client would stop the server.
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.port: int = self._server.server_address[1]
        self.url = f"https://localhost:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """End the server and everything that still drips."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def handle(self, request: Handler) -> None:
        """Answer by script, else as a good authority."""
        length = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(length).decode()
        path = urlsplit(request.path).path
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((request.command, path, headers, body))
        for (method, end), answer in self.answers.items():
            if method == request.command and path.endswith(end):
                answer(request)
                return
        self._authority(request, path, body)

    def _authority(self, request: Handler, path: str, body: str) -> None:
        tenant = path.split("/")[1]
        if path.endswith("openid-configuration"):
            version = "/v2.0" if "/v2.0/" in path else ""
            issuer = f"{self.url}/{tenant}/v2.0" if version else f"{self.url}/{tenant}/"
            send_json(
                request,
                200,
                {
                    "issuer": issuer,
                    "token_endpoint": f"{self.url}/{tenant}/oauth2/v2.0/token",
                    "authorization_endpoint": f"{self.url}/{tenant}/oauth2/v2.0/authorize",
                    "jwks_uri": f"{self.url}/{tenant}/discovery/v2.0/keys",
                },
            )
        elif path.endswith("/keys"):
            send_json(request, 200, {"keys": [self.jwk()]})
        elif path.endswith("/token"):
            form = {name: values[0] for name, values in parse_qs(body).items()}
            answer = {"token_type": "Bearer", "expires_in": 3599, "access_token": self.token(tenant, form)}
            send_json(request, 200, answer)
        else:
            send_json(request, 404, {"error": "not_found"})

    def jwk(self) -> dict[str, str]:
        """The public signing key."""
        numbers = self.signing_key.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": "far-1",
            "n": _unsigned(numbers.n),
            "e": _unsigned(numbers.e),
        }

    def token(self, tenant: str, form: dict[str, str]) -> str:
        """A v2 token as asked, then bent by self.claims (None removes a claim)."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "aud": form["scope"].removesuffix("/.default"),
            "iss": f"{self.url}/{tenant}/v2.0",
            "iat": now - 300,
            "nbf": now - 300,
            "exp": now + 3599,
            "azp": form["client_id"],
            "azpacr": "1" if "client_secret" in form else "2",
            "oid": str(uuid.uuid4()),
            "tid": tenant,
            "ver": "2.0",
            **self.claims,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, self.signing_key, algorithm="RS256", headers={"kid": "far-1"})

    def drip(self, request: Handler) -> None:
        """Headers at once, then a byte now and then, for ever."""
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", "100000")
        request.end_headers()
        while not self.released.wait(0.05):
            request.wfile.write(b" ")
            request.wfile.flush()

    def silence(self, _request: Handler) -> None:
        """Take the request and say nothing."""
        self.released.wait(30)


def send(request: Handler, status: int, body: bytes, **headers: str) -> None:
    """Any answer. Header names with _ for -."""
    request.send_response(status)
    request.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body)


def send_json(request: Handler, status: int, body: dict[str, Any], **headers: str) -> None:
    """A JSON answer."""
    send(request, status, json.dumps(body).encode(), Content_Type="application/json", **headers)


def entra_error(code: int, error: str, text: str, **more: Any) -> dict[str, Any]:
    """A refusal in Entra's shape."""
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    stamp = "2026-11-23 14:42:58Z"
    return {
        "error": error,
        "error_description": f"AADSTS{code}: {text} Trace ID: {trace} Correlation ID: {correlation} "
        f"Timestamp: {stamp}",
        "error_codes": [code],
        "timestamp": stamp,
        "trace_id": trace,
        "correlation_id": correlation,
        **more,
    }


def _unsigned(value: int) -> str:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Client:
    """A self-signed certificate with its key, as the three openssl commands make them: RSA, or on a curve."""

    def __init__(self, name: str = "client", number: int = 1, curve: ec.EllipticCurve | None = None) -> None:
        self.key = ec.generate_private_key(curve) if curve else rsa_key(number)
        now = dt.datetime.now(dt.UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(name))
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + 365 * DAY)
            .sign(self.key, hashes.SHA256())
        )
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)
        self.thumbprint = sha1(self.der).hexdigest().upper()  # noqa: S324 - a name, not a protection
        self.key_pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
