"""What a token request asks for: the one resource behind its scope (token endpoint, ruling W1). No ORM."""

import re
from functools import lru_cache

from credmgr.authority.refusals import RefusalError

DEFAULT = "/.default"
GRAPH = "https://graph.microsoft.com"
# scope-token of RFC 6749 section 3.3, tokens parted by single spaces.
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*")


def resource_of_v1(resource_parameter: str) -> str:
    """The resource's identifier as the v1.0 endpoint takes it; a scope beside it says nothing there.

    Raises RefusalError 900144.
    """
    if not resource_parameter:
        raise RefusalError(900144, name="resource")
    return resource_parameter


@lru_cache(maxsize=256)
def resource_of(scope: str, *, resource_parameter: str = "") -> str:
    """The resource's identifier as written. Raises RefusalError 901002, 900144, 70011, 28000, 1002012."""
    if resource_parameter:
        raise RefusalError(901002)
    if not scope:
        raise RefusalError(900144, name="scope")
    if not _SCOPE.fullmatch(scope):
        raise RefusalError(70011, scope=scope)
    tokens = list(dict.fromkeys(scope.split(" ")))
    resources = dict.fromkeys(_resource(token) for token in tokens)
    if len(resources) > 1:
        raise RefusalError(28000, scope=scope)
    resource = next(iter(resources))
    if len(tokens) > 1 or not (tokens[0] == ".default" or tokens[0].endswith(DEFAULT)):
        raise RefusalError(1002012, scope=scope, example=f"{resource}{DEFAULT}")
    if not resource:
        raise RefusalError(70011, scope=scope)
    return resource


def _resource(token: str) -> str:
    """The resource part of one scope. A bare word is a permission of Microsoft Graph, as in Entra."""
    if token.endswith(DEFAULT):
        return token.removesuffix(DEFAULT)
    _, mark, rest = token.partition("://")
    if "/" not in (rest if mark else token):
        return token if mark else GRAPH
    resource, _, _ = token.rpartition("/")
    return resource
