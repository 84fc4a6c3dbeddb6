"""Ready programs and exports with one application's values filled in.

The programs are files of templates/snippets; the tests run the very text that is shown. Values go in as
literals of the language, so that no name can break out of its quotes. No program ever holds a secret.
"""

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from credmgr.credentials.lifecycle import is_live
from credmgr.credentials.models import Certificate
from credmgr.flowtest.scopes import default_scope
from credmgr.portal.snippet_catalogue import CLIENTS, Program
from credmgr.portal.snippet_catalogue_elsewhere import ENTRA_CLIENTS, ISSUER_CLIENTS
from credmgr.registrations.models import BUILT_IN, ENTRA, OIDC, Application
from credmgr.registrations.places import entra_parts
from credmgr.registrations.resources import find_resource

_NO_CERTIFICATE = "<thumbprint of the uploaded certificate>"


@dataclass(frozen=True)
class Snippet:
    """One program. key: stable name; text: what is shown, copied and tested; language: the file's ending."""

    key: str
    label: str
    note: str
    text: str
    language: str = "sh"


@dataclass(frozen=True)
class ClientTab:
    """One client and its programs. key: stable name, used in the address."""

    key: str
    label: str
    note: str
    snippets: tuple[Snippet, ...]


def client_tabs(application: Application, *, thumbprint: str = "") -> list[ClientTab]:
    """The programs of every client that can be used where the application lives, in the page's order.

    thumbprint: SHA-1 hex, by default of the application's newest live certificate.
    """
    values = _values(application, thumbprint)
    return [
        ClientTab(
            client.key, client.label, client.note, tuple(_snippet(each, values) for each in client.programs)
        )
        for client in _CLIENTS[application.authority_kind]
    ]


def exports_for(application: Application) -> list[Snippet]:
    """Shell lines that make other clients trust the local CA and find the authority.

    None for a registration that lives elsewhere.
    """
    if application.is_external:
        return []
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


def _snippet(program: Program, values: dict[str, Any]) -> Snippet:
    language = program.file.rpartition(".")[2]
    literal = _LITERALS.get(language, json.dumps)
    text = render_to_string(
        f"snippets/{program.file}.txt", {name: literal(value) for name, value in values.items()}
    )
    return Snippet(program.key, program.label, program.note, text.strip() + "\n", language)


def _shell(value: str | list[str]) -> str:
    return shlex.quote(value) if isinstance(value, str) else shlex.join(value)


def _go(value: Any) -> str:
    """Go reads JSON's texts, save for the pairs that stand for one character beyond U+FFFF."""
    return json.dumps(value, ensure_ascii=False)


def _workflow(value: Any) -> str:
    """YAML reads JSON; GitHub evaluates what stands between its own brackets, so they are spelled out."""
    return json.dumps(value).replace("${{", "${{ '${{' }}")


# How a value is written in each language; the others read JSON as it is.
_LITERALS: dict[str, Callable[[Any], str]] = {"sh": _shell, "go": _go, "yml": _workflow}


_CLIENTS = {BUILT_IN: CLIENTS, ENTRA: ENTRA_CLIENTS, OIDC: ISSUER_CLIENTS}


def _values(application: Application, thumbprint: str) -> dict[str, Any]:
    if application.is_external:
        return _values_elsewhere(application, thumbprint)
    scope = default_scope(application)
    own = {str(application.client_id)}
    own |= {row.uri for row in application.identifier_uris.filter(is_released=False)}
    resource = find_resource(application.tenant_id, scope.removesuffix("/.default"))
    if resource is not None and resource.application_id is None:
        # The default scope asks for a well-known API: show how that API would check the same token.
        own = {scope.removesuffix("/.default"), str(resource.client_id)}
    authority = f"{settings.AUTHORITY_URL}/{application.tenant_id}"
    return {
        "client_id": str(application.client_id),
        "tenant_id": str(application.tenant_id),
        "host": settings.AUTHORITY_URL,
        "authority": authority,
        "token_endpoint": f"{authority}/oauth2/v2.0/token",
        "scope": scope,
        "audiences": sorted(own),
        "ca_file": str(settings.CA_BUNDLE_FILE if settings.PUBLIC_URL else settings.CA_FILE),
        "ca_bundle": str(settings.CA_BUNDLE_FILE),
        "thumbprint": thumbprint or _newest_thumbprint(application),
    }


def _values_elsewhere(application: Application, thumbprint: str) -> dict[str, Any]:
    authority = application.authority_url
    values = {
        "client_id": application.external_client_id,
        "client_id_json": json.dumps(application.external_client_id),
        "authority": authority,
        "thumbprint": thumbprint or _newest_thumbprint(application),
    }
    if application.authority_kind == OIDC:
        return values
    place = entra_parts(authority)
    graph = place.cloud.graph_url if place.cloud else "https://graph.microsoft.com"
    return values | {
        "tenant_id": place.tenant,
        "host": authority.removesuffix(f"/{place.tenant}"),
        "token_endpoint": f"{authority}/oauth2/v2.0/token",
        "scope": f"{graph}/.default",
    }


def _newest_thumbprint(application: Application) -> str:
    now = timezone.now()
    rows = Certificate.objects.filter(application=application).order_by("-created_at")
    live = next((row for row in rows if is_live(row, now)), None)
    return live.thumbprint_sha1 if live else _NO_CERTIFICATE
