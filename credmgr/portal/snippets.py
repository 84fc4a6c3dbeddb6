"""Ready programs and exports with one application's values filled in.

The programs are files of templates/snippets; the tests run the very text that is shown. Values go in as
literals of the language, so that no name can break out of its quotes. No program ever holds a secret.
"""

import json
import shlex
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from credmgr.credentials.lifecycle import is_live
from credmgr.credentials.models import Certificate
from credmgr.flowtest.scopes import default_scope
from credmgr.registrations.models import Application
from credmgr.registrations.resources import find_resource

_NO_CERTIFICATE = "<thumbprint of the uploaded certificate>"


@dataclass(frozen=True)
class Snippet:
    """One program. key: stable name; text: what is shown, copied and tested."""

    key: str
    label: str
    note: str
    text: str


_PROGRAMS = (
    (
        "secret",
        "Client secret",
        "Asks for the value at a prompt, or reads it from standard input.",
        "msal_secret",
    ),
    (
        "thumbprint",
        "Certificate, thumbprint",
        "The shape of Microsoft's page: thumbprint and private key. MSAL signs RS256 and sends x5t (SHA-1).",
        "msal_thumbprint",
    ),
    (
        "certificate",
        "Certificate, SHA-256",
        "What MSAL recommends today: key and certificate. It signs PS256 and sends x5t#S256 and x5c.",
        "msal_certificate",
    ),
    (
        "api",
        "Verify in an API",
        "The other side: an API checks signature, issuer, audience and times. Reads the token from "
        "standard input.",
        "verify_token",
    ),
)


def snippets_for(application: Application, *, thumbprint: str = "") -> list[Snippet]:
    """The programs for this application. thumbprint: SHA-1 hex, by default of its newest live certificate."""
    values = {name: json.dumps(value) for name, value in _values(application, thumbprint).items()}
    return [
        Snippet(key, label, note, render_to_string(f"snippets/{file}.py.txt", values).strip() + "\n")
        for key, label, note, file in _PROGRAMS
    ]


def exports_for(application: Application) -> list[Snippet]:
    """Shell lines that make other clients trust the local CA and find the authority."""
    ca, bundle = shlex.quote(str(settings.CA_FILE)), shlex.quote(str(settings.CA_BUNDLE_FILE))
    authority, tenant = shlex.quote(settings.AUTHORITY_URL), shlex.quote(str(application.tenant_id))
    client = shlex.quote(str(application.client_id))
    replace = (
        "The bundle holds the public roots and the local CA, because this variable replaces the usual roots."
    )
    return [
        Snippet(
            "requests", "Python: requests, MSAL, Azure CLI", replace, f"export REQUESTS_CA_BUNDLE={bundle}\n"
        ),
        Snippet(
            "httpx",
            "Python: httpx, azure-identity async, Graph SDK",
            replace,
            f"export SSL_CERT_FILE={bundle}\n",
        ),
        Snippet(
            "node",
            "Node.js",
            "Adds the local CA to the usual roots. Read once, when Node starts.",
            f"export NODE_EXTRA_CA_CERTS={ca}\n",
        ),
        Snippet("curl", "curl", "For one shell.", f"export CURL_CA_BUNDLE={bundle}\n"),
        Snippet(
            "identity",
            "azure-identity, both languages",
            "Switching instance discovery off has no variable: pass disable_instance_discovery=True in "
            "the code.",
            f"export AZURE_AUTHORITY_HOST={authority}\n"
            f"export AZURE_TENANT_ID={tenant}\n"
            f"export AZURE_CLIENT_ID={client}\n",
        ),
        Snippet(
            "proxy",
            "Behind a proxy",
            "So that requests to this machine do not leave it.",
            "export NO_PROXY=localhost,127.0.0.1\n",
        ),
    ]


def _values(application: Application, thumbprint: str) -> dict[str, Any]:
    scope = default_scope(application)
    own = {str(application.client_id)}
    own |= {row.uri for row in application.identifier_uris.filter(is_released=False)}
    resource = find_resource(application.tenant_id, scope.removesuffix("/.default"))
    if resource is not None and resource.application_id is None:
        # The default scope asks for a well-known API: show how that API would check the same token.
        own = {scope.removesuffix("/.default"), str(resource.client_id)}
    return {
        "client_id": str(application.client_id),
        "authority": f"{settings.AUTHORITY_URL}/{application.tenant_id}",
        "scope": scope,
        "audiences": sorted(own),
        "ca_file": str(settings.CA_BUNDLE_FILE if settings.PUBLIC_URL else settings.CA_FILE),
        "thumbprint": thumbprint or _newest_thumbprint(application),
    }


def _newest_thumbprint(application: Application) -> str:
    now = timezone.now()
    rows = Certificate.objects.filter(application=application).order_by("-created_at")
    live = next((row for row in rows if is_live(row, now)), None)
    return live.thumbprint_sha1 if live else _NO_CERTIFICATE
