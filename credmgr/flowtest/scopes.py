"""Which scope a test asks for: the default, and what the directory has to offer."""

from urllib.parse import urlsplit

from credmgr.clouds import cloud_of_host
from credmgr.errors import DomainError
from credmgr.flowtest.spec import Asked
from credmgr.registrations.models import ENTRA, OIDC, Application
from credmgr.registrations.resources import GRAPH_CLIENT_ID, first_resources_of

DEFAULT = "/.default"
GRAPH_SCOPE = f"https://graph.microsoft.com{DEFAULT}"
SCOPE_MAX = 512


def default_scope(application: Application) -> str:
    """The application's own API where it has a name, else Microsoft Graph, which every directory knows.

    Nothing at an issuer of another kind: there a scope is optional and its names are the issuer's own.
    """
    if application.authority_kind == OIDC:
        return ""
    if application.authority_kind == ENTRA:
        return _graph_of(application)
    uri = application.identifier_uris.filter(is_released=False).order_by("pk").first()
    return f"{uri.uri}{DEFAULT}" if uri else GRAPH_SCOPE


def scope_suggestions(application: Application, most: int) -> list[tuple[str, str]]:
    """(scope, name of its resource) where the application lives; of other issuers nothing is known."""
    if application.authority_kind == OIDC:
        return []
    if application.authority_kind == ENTRA:
        own = f"api://{application.external_client_id}{DEFAULT}"
        return [(_graph_of(application), "Microsoft Graph"), (own, application.display_name)]
    resources = first_resources_of(application.tenant_id, most)[:most]
    return [(f"{resource.names[0]}{DEFAULT}", resource.name) for resource in resources if resource.names]


def clean_asked(asked: Asked, *, needs_scope: bool) -> Asked:
    """The request's parameters as they will be sent. Raises DomainError with the field it belongs to.

    Their meaning is the authority's to judge; only what cannot be sent is refused.
    """
    scope = _sendable("scope", "scope", asked.scope)
    if needs_scope and not scope:
        raise DomainError("scope_missing", "Enter a scope: a resource followed by /.default.", field="scope")
    return Asked(
        scope,
        _sendable("resource", "resource", asked.resource),
        _sendable("audience", "audience", asked.audience),
        _sendable("key_id", "key ID", asked.key_id),
    )


def _sendable(field: str, what: str, text: str) -> str:
    value = " ".join(text.split(" ")).strip()
    if len(value) > SCOPE_MAX:
        raise DomainError(
            f"{field}_too_long", f"The {what} is longer than {SCOPE_MAX} characters.", field=field
        )
    if value and not value.isprintable():
        raise DomainError(
            f"{field}_unprintable", f"The {what} holds a line break or a control character.", field=field
        )
    return value


def _graph_of(application: Application) -> str:
    """Microsoft Graph of the cloud in which the application lives; by its GUID where the cloud is unknown."""
    cloud = cloud_of_host(urlsplit(application.authority_url).netloc)
    return f"{cloud.graph_url if cloud else GRAPH_CLIENT_ID}{DEFAULT}"
