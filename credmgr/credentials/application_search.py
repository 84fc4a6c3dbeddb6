"""What the search box of the list of registrations finds. Builds SQL only, and asks how much there is."""

import re
import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from credmgr.credentials.models import Certificate, ClientSecret, FederatedCredential
from credmgr.credentials.secret_values import HINT_LENGTH
from credmgr.credentials.x509 import thumbprints_in
from credmgr.registrations.models import BUILT_IN, Application, Tenant
from credmgr.registrations.name_parts import keys_by_name, names_with

_HINT = re.compile(rf"([0-9A-Za-z]{{{HINT_LENGTH}}})\*{{0,18}}", re.ASCII)
# Nothing that can be found is longer; SQLite refuses patterns of 50,000 bytes.
_SEARCH_LENGTH_MOST = 300
# So many registrations are named one by one.
_KEYS_MOST = 1_000
# So many are looked up one by one; more of them are read in the order of the page.
_NAMES_MOST = 2_000
# At least the first group of a GUID; dashes may be missing, as in a database dump or a log line.
_GUID_START = re.compile(r"[0-9a-f]{8}[0-9a-f]{0,24}", re.ASCII)
# Of a GUID, a SHA-1 and a SHA-256 thumbprint; and what may stand between the digits.
_WHOLE_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII | re.IGNORECASE)
_BETWEEN = re.compile(r"[-:{}\s]")
# Of a registration itself.
_GUIDS = ("id", "client_id", "service_principal_id")


@dataclass(frozen=True)
class Matches:
    """What was found. are_many: known without reading the directory; it may have many where that is False."""

    rows: QuerySet[Application]
    are_many: bool = False


def matching(rows: QuerySet[Application], tenant: Tenant, search: str) -> Matches:
    """Those that the search box finds: part of a name, a GUID of any kind, a thumbprint or a secret's hint.
    A whole GUID or thumbprint that something has finds that alone.

    rows: of that directory. Two queries, of those that are found by something else than their name, and of
    how many have it in their name.

    Those that live elsewhere are found by part of their client ID and authority too. GUIDs may be cut after
    the first group; thumbprints may be in any spelling; a hint is taken to the letter, with or without its
    asterisks.
    """
    term = search.strip().replace("\x00", "").encode("utf-8", "ignore").decode()
    if not term:
        return Matches(rows, are_many=True)
    if len(term) > _SEARCH_LENGTH_MOST:
        return Matches(rows.none())
    others = _found_otherwise(tenant, term)
    keys = list(others.values_list("pk", flat=True)[: _KEYS_MOST + 1])
    if len(keys) > _KEYS_MOST:  # asked once more: they are too many to be named
        return Matches(rows.filter(_by_name(term) | Q(pk__in=others)), are_many=True)
    if keys and _is_whole_id(term):
        return Matches(_among(Q(pk__in=keys), rows))  # nobody means a name by it
    named = names_with(term, at_most=_NAMES_MOST)
    if named is not None and named <= _NAMES_MOST:
        return Matches(_among(Q(pk__in=keys_by_name(term)) & _by_name(term) | Q(pk__in=keys), rows))
    wanted = _by_name(term) | Q(pk__in=keys) if keys else _by_name(term)
    return Matches(rows.filter(wanted), are_many=named is not None)


def _by_name(term: str) -> Q:
    return Q(display_name__icontains=term)


def _among(keys: Q, rows: QuerySet[Application]) -> QuerySet[Application]:
    """Those of these keys that are among the rows, asked one by one: beside the rows' own conditions,
    the database would walk the whole directory in an index of those.
    """
    return Application.objects.filter(keys, Exists(rows.filter(pk=OuterRef("pk"))))


def _found_otherwise(tenant: Tenant, term: str) -> QuerySet[Any, Any]:
    """Keys of what is found by an index of its own, of any tab: told of the tab, the database would walk that
    one instead.
    """
    elsewhere = Application.objects.filter(tenant=tenant).exclude(authority_kind=BUILT_IN)
    ways: list[QuerySet[Any, Any]] = [
        elsewhere.filter(Q(external_client_id__icontains=term) | Q(authority_url__icontains=term)).values(
            "pk"
        )
    ]
    if (guids := _guid_range(term)) is not None:
        ways += [Application.objects.filter(**{f"{column}__range": guids}).values("pk") for column in _GUIDS]
        ways += [
            model.objects.filter(id__range=guids).values("application_id")
            for model in (ClientSecret, Certificate, FederatedCredential)
        ]
    if thumbprints := thumbprints_in(term):
        certificates = Certificate.objects.values("application_id")
        ways += [
            certificates.filter(thumbprint_sha1__in=thumbprints),
            certificates.filter(thumbprint_sha256__in=thumbprints),
        ]
    if hint := _HINT.fullmatch(term):
        ways.append(ClientSecret.objects.filter(hint=hint[1]).values("application_id"))
    return ways[0].union(*ways[1:]) if ways[1:] else ways[0]


def _guid_range(term: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The first and last GUID that begin with the term; None when it cannot be the start of one."""
    digits = term.lower().strip("{}").replace("-", "")
    if not _GUID_START.fullmatch(digits):
        return None
    return uuid.UUID(digits.ljust(32, "0")), uuid.UUID(digits.ljust(32, "f"))


def _is_whole_id(term: str) -> bool:
    """Whether it is all of a GUID or of a thumbprint in hex, which cannot be taken for a part of a name."""
    return bool(_WHOLE_ID.fullmatch(_BETWEEN.sub("", term)))
