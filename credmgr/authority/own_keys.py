"""This authority as the issuer of a federated assertion: its keys are at hand, nothing is fetched.

A request to itself would need a second thread of a server whose threads may all be waiting for the same; and
a key that is withdrawn ends here with the next request, not when a remembered key set runs out.
"""

from datetime import datetime
from typing import Any

from django.conf import settings

from credmgr.authority.access_tokens import issuer as issuer_of
from credmgr.authority.metadata import key_set
from credmgr.authority.signing_keys import published_keys
from credmgr.registrations.models import Tenant
from credmgr.registrations.queries import parse_guid

_ENDINGS = {"v2.0": 2, "": 1}


def own_key_set(issuer: str, now: datetime) -> dict[str, Any] | None:
    """The key set of one of this authority's directories; None for every other issuer. now: aware UTC."""
    base = f"{settings.AUTHORITY_URL}/"
    tenant, _, ending = issuer.removeprefix(base).partition("/")
    tenant_id = parse_guid(tenant)
    if tenant_id is None or ending not in _ENDINGS:
        return None
    if issuer != issuer_of(tenant_id, version=_ENDINGS[ending]):
        return None
    if not Tenant.objects.using(settings.TOKENS_DATABASE).filter(pk=tenant_id).exists():
        return None
    return key_set(published_keys(now), str(tenant_id), version=2)
