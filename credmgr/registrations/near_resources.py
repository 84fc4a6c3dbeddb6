"""What a directory knows beside a scope that was asked for: to say which name was meant. A large directory is
not read for it: of its registrations come the one that is named, and so many that are near by some order.
"""

import re
import uuid
from dataclasses import dataclass

from credmgr.registrations.models import BUILT_IN, Application, IdentifierUri
from credmgr.registrations.resources import Resource, described, find_resource, first_resources_of

# Of the registrations by name; beside the asked name, in either direction.
_FIRST, _BESIDE = 300, 50
# A scope has few slashes; nobody's name has more.
_PARTS_MOST = 12
_GUID_START = re.compile(r"[0-9a-f]{8}[-0-9a-f]{0,28}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Near:
    """resources: well-known ones first, registrations by name. is_all: whether there are no others."""

    resources: list[Resource]
    is_all: bool


# Of an authority elsewhere nothing is known here.
NOTHING_NEAR = Near([], is_all=True)


def resources_near(tenant_id: uuid.UUID, scope: str) -> Near:
    """Those that the scope names or begins with, the first by name, and those that stand beside it in the
    orders of names and client ids. A directory of a few hundred comes whole. A bounded number of queries.
    """
    first = first_resources_of(tenant_id, _FIRST + 1)
    registered = [each for each in first if each.application_id is not None]
    if len(registered) <= _FIRST:
        return Near(first, is_all=True)
    others = [*_named_in(tenant_id, scope), *_beside(tenant_id, scope.removesuffix("/.default"))]
    found = {each.client_id: each for each in (*others, *registered) if each.application_id is not None}
    by_name = sorted(found.values(), key=lambda each: (each.name.lower(), each.client_id.hex))
    return Near([*(each for each in first if each.application_id is None), *by_name], is_all=False)


def _named_in(tenant_id: uuid.UUID, scope: str) -> list[Resource]:
    """Of "api://orders/Orders.Read" both parts up to a slash, with it and without."""
    parts = scope.split("/")[:_PARTS_MOST]
    names = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    known = (find_resource(tenant_id, each) for name in names for each in (name, f"{name}/"))
    return [each for each in known if each is not None and not each.is_disabled]


def _beside(tenant_id: uuid.UUID, asked: str) -> list[Resource]:
    uris = IdentifierUri.objects.filter(tenant_id=tenant_id, is_released=False).select_related("application")
    rows = [
        uri.application
        for part in (
            uris.filter(uri__lt=asked).order_by("-uri")[:_BESIDE],
            uris.filter(uri__gte=asked).order_by("uri")[:_BESIDE],
        )
        for uri in part
    ]
    if guid := _GUID_START.search(asked):
        start = uuid.UUID(guid[0].replace("-", "").ljust(32, "0")[:32])
        ids = Application.objects.all()  # of any directory: told of one, the database would sort that
        rows += ids.filter(client_id__lt=start).order_by("-client_id")[:_BESIDE]
        rows += ids.filter(client_id__gte=start).order_by("client_id")[:_BESIDE]
    return described([row for row in rows if _is_usable(row, tenant_id)])


def _is_usable(row: Application, tenant_id: uuid.UUID) -> bool:
    is_here = row.tenant_id == tenant_id and row.authority_kind == BUILT_IN
    return is_here and row.deleted_at is None and not row.is_disabled
