"""Which scope a test asks for: the default, and what the directory has to offer."""

from credmgr.errors import DomainError
from credmgr.registrations.models import Application
from credmgr.registrations.resources import Resource, resources_of

DEFAULT = "/.default"
GRAPH_SCOPE = f"https://graph.microsoft.com{DEFAULT}"
SCOPE_MAX = 512


def default_scope(application: Application) -> str:
    """The application's own API where it has a name, else Microsoft Graph, which every directory knows."""
    uri = application.identifier_uris.filter(is_released=False).order_by("pk").first()
    return f"{uri.uri}{DEFAULT}" if uri else GRAPH_SCOPE


def suggested_scopes(resources: list[Resource]) -> list[tuple[str, str]]:
    """(scope, name of its resource) for every resource of the directory, each by its first name."""
    return [(f"{resource.names[0]}{DEFAULT}", resource.name) for resource in resources if resource.names]


def clean_scope(text: str) -> str:
    """The scope as it will be sent.

    Its form is the authority's to judge; only what cannot be sent is refused.
    """
    scope = " ".join(text.split(" ")).strip()
    if not scope:
        raise DomainError("scope_missing", "Enter a scope: a resource followed by /.default.", field="scope")
    if len(scope) > SCOPE_MAX:
        raise DomainError(
            "scope_too_long", f"The scope is longer than {SCOPE_MAX} characters.", field="scope"
        )
    if not scope.isprintable():
        raise DomainError(
            "scope_unprintable", "The scope holds a line break or a control character.", field="scope"
        )
    return scope


def resources_for(application: Application) -> list[Resource]:
    """The resources of the application's directory."""
    return resources_of(application.tenant_id)
