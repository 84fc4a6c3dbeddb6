"""Answers to everything but token requests: metadata, keys, the two documents of Azure CLI, small pages."""

from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from django.http import HttpRequest

from credmgr.authority import metadata, pages
from credmgr.authority.directory import find_tenant
from credmgr.authority.exchange import Exchange
from credmgr.authority.refusals import RefusalError
from credmgr.authority.responses import (
    Answer,
    document_response,
    error_response,
    page_response,
    preflight_response,
)
from credmgr.authority.signing_keys import published_keys
from credmgr.registrations.queries import parse_guid

_QUERY_MAX_CHARACTERS = 4096
_READ = ("GET", "HEAD")
# Discovery has an error of its own for directories that are not there.
_INVALID_TENANT = "invalid_tenant"


def discovery_v2(request: HttpRequest, tenant: str, exchange: Exchange) -> Answer:
    """GET /{tenant}/v2.0/.well-known/openid-configuration."""
    return _discovery(request, tenant, exchange, version=2)


def discovery_v1(request: HttpRequest, tenant: str, exchange: Exchange) -> Answer:
    """GET /{tenant}/.well-known/openid-configuration."""
    return _discovery(request, tenant, exchange, version=1)


def keys_v2(request: HttpRequest, tenant: str, exchange: Exchange) -> Answer:
    """GET /{tenant}/discovery/v2.0/keys."""
    return _keys(request, tenant, exchange, version=2)


def keys_v1(request: HttpRequest, tenant: str, exchange: Exchange) -> Answer:
    """GET /{tenant}/discovery/keys."""
    return _keys(request, tenant, exchange, version=1)


def authorize(request: HttpRequest, _tenant: str, exchange: Exchange) -> Answer:
    """The page that interactive sign-in leads to. OpenID Connect allows GET and POST here."""
    _require(request, "GET", "HEAD", "POST")
    return page_response(pages.authorize_page(), exchange)


def admin_consent(request: HttpRequest, tenant: str, exchange: Exchange) -> Answer:
    """GET /{tenant}/adminconsent?client_id=: the address that Entra's documentation gives administrators."""
    _require(request, *_READ)
    known = _known(tenant)
    page = pages.consent_page(parse_guid(known), parse_guid(_query(request, "client_id")))
    return page_response(page, exchange)


def error(request: HttpRequest, _tenant: str, exchange: Exchange) -> Answer:
    """GET /error?code=: the page that error_uri names."""
    _require(request, *_READ)
    html, status = pages.error_page(_query(request, "code"))
    return page_response(html, exchange, status=status)


def instance(request: HttpRequest, _tenant: str, exchange: Exchange) -> Answer:
    """GET /common/discovery/instance?authorization_endpoint=: says whether an authority's host is known
    here.
    """
    if request.method == "OPTIONS":
        return preflight_response(exchange)
    _require(request, *_READ, "OPTIONS")
    endpoint = _query(request, "authorization_endpoint")
    if not endpoint:
        raise RefusalError(900144, name="authorization_endpoint")
    try:
        parts = urlsplit(endpoint)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "https" or parts.netloc.lower() not in metadata.authority_names():
        raise RefusalError(
            50049, error="invalid_instance", host=parts.netloc, authority=settings.AUTHORITY_URL
        )
    named = [part for part in parts.path.split("/") if part]
    tenant = named[0].lower() if named else "common"
    if tenant not in metadata.ANY_TENANT:
        tenant = str(find_tenant(tenant, error=_INVALID_TENANT))
    document = metadata.instance_discovery(tenant)
    return document_response(document, exchange, max_age=metadata.DISCOVERY_MAX_AGE, is_open=True)


def cloud(request: HttpRequest, _tenant: str, exchange: Exchange) -> Answer:
    """GET /metadata/endpoints: what `az cloud register` reads."""
    _require(request, *_READ)
    return document_response(metadata.cloud_endpoints(), exchange, max_age=metadata.KEYS_MAX_AGE)


def subscriptions(request: HttpRequest, _tenant: str, exchange: Exchange) -> Answer:
    """GET /subscriptions: `az login` asks for the list and is content with an empty one."""
    _require(request, *_READ)
    return document_response({"value": []}, exchange, max_age=0)


def nothing_here(request: HttpRequest, _tenant: str, exchange: Exchange) -> Answer:  # noqa: ARG001 - a handler
    """An address of the authority that does not exist: JSON, because clients read it."""
    refusal = RefusalError(9002313, status=404, reason="There is nothing at this address")
    return error_response(refusal, exchange)


def _discovery(request: HttpRequest, tenant: str, exchange: Exchange, *, version: int) -> Answer:
    if request.method == "OPTIONS":
        return preflight_response(exchange)
    _require(request, *_READ, "OPTIONS")
    document = metadata.openid_configuration(_known(tenant), version=version)
    return document_response(document, exchange, max_age=metadata.DISCOVERY_MAX_AGE, is_open=True)


def _keys(request: HttpRequest, tenant: str, exchange: Exchange, *, version: int) -> Answer:
    if request.method == "OPTIONS":
        return preflight_response(exchange)
    _require(request, *_READ, "OPTIONS")
    document = metadata.key_set(published_keys(exchange.now), _known(tenant), version=version)
    return document_response(document, exchange, max_age=metadata.KEYS_MAX_AGE, is_open=True)


def _known(tenant: str) -> str:
    """The directory's id, or the word that stands for any. Raises RefusalError 90002, 900021, 900023."""
    word = tenant.lower()
    return word if word in metadata.ANY_TENANT else str(find_tenant(tenant, error=_INVALID_TENANT))


def _query(request: HttpRequest, name: str) -> str:
    """One parameter of the address, "" when absent. Django's own reading raises for too many of them."""
    text: str = request.META.get("QUERY_STRING", "")[:_QUERY_MAX_CHARACTERS]
    return dict(parse_qsl(text, errors="replace")).get(name, "")


def _require(request: HttpRequest, *methods: str) -> None:
    if request.method not in methods:
        raise RefusalError(
            900561, allowed=" or ".join(methods), method=request.method or "", allow=", ".join(methods)
        )
