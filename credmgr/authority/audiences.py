"""Which audiences of a client assertion mean this directory (security rule A-9). No guessing, no prefixes."""

import uuid
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

from credmgr.audit.token_database import guid_text
from credmgr.authority.directory import is_domain_of
from credmgr.registrations.queries import parse_guid

# Token endpoint and issuer, v2.0 and v1, as they follow the directory in the address.
_ENDINGS = frozenset({"oauth2/v2.0/token", "v2.0", "oauth2/token", ""})


def token_endpoint(tenant_id: uuid.UUID | str, *, version: int = 2) -> str:
    """The address that discovery names; what an assertion should have as its audience."""
    tenant = tenant_id if isinstance(tenant_id, str) else guid_text(tenant_id)
    return f"{settings.AUTHORITY_URL}/{tenant}/oauth2/{'v2.0/' if version == 2 else ''}token"


def is_audience_of(tenant_id: uuid.UUID, audience: str) -> bool:
    """Whether the audience is this directory's token endpoint or issuer, the directory by id or domain
    name.
    """
    if audience == token_endpoint(tenant_id):
        return True
    for base in _bases(settings.AUTHORITY_URL, bool(settings.PUBLIC_URL)):
        if audience.startswith(base):
            tenant, _, ending = audience.removeprefix(base).partition("/")
            guid = parse_guid(tenant)
            is_known_ending = ending in _ENDINGS and (ending != "" or audience.endswith("/"))
            return is_known_ending and (guid == tenant_id if guid else is_domain_of(tenant_id, tenant))
    return False


@lru_cache(maxsize=4)
def _bases(authority_url: str, is_public: bool) -> tuple[str, ...]:
    """The authority's address; on loopback also under its other names, which clients without discovery
    use.
    """
    if is_public:
        return (f"{authority_url}/",)
    parts = urlsplit(authority_url)
    port = f":{parts.port}" if parts.port else ""
    hosts = dict.fromkeys([parts.hostname or "", "localhost", "127.0.0.1", "[::1]"])
    return tuple(f"{parts.scheme}://{host}{port}/" for host in hosts)
