"""Decode token: what any JWT says, and whether a listed issuer made it. Nothing is stored or logged."""

from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from credmgr.errors import DomainError
from credmgr.flowtest.decoding import DecodedToken, decode_token, listed_issuers
from credmgr.flowtest.inspection import explain
from credmgr.membership.queries import directories_for
from credmgr.portal.access import directory_of, standing_in
from credmgr.portal.acting import form_page, posted
from credmgr.portal.forms.decoding import DecodeForm
from credmgr.registrations.models import Tenant
from credmgr.registrations.queries import NamedDirectory, applications_in, named_directories, parse_guid
from credmgr.registrations.resources import well_known
from credmgr.registrations.service_principals import principals_in

_DIRECTORIES_MOST = 200
# Claims whose values are looked up for a name; more than these are not worth a query.
_NAMED_CLAIMS = ("azp", "appid", "aud", "oid", "sub", "tid")


@never_cache
@sensitive_post_parameters("token")
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
def decode(request: HttpRequest) -> HttpResponse:
    """The form, and what was pasted, taken apart."""
    tenant = directory_of(request)
    now = timezone.now()
    others = [
        each
        for each in named_directories(directories_for(standing_in(request)), _DIRECTORIES_MOST)
        if each.id != tenant.pk
    ]
    listed = listed_issuers(tenant.pk)
    issuers = [*listed, *(issuer for each in others for issuer in listed_issuers(each.id))]
    form = DecodeForm(posted(request))
    context: dict[str, Any] = {"now": now, "issuers": listed, "others": len(others)}
    if form.is_bound and form.is_valid():
        try:
            decoded = decode_token(form.cleaned_data["token"], issuers=issuers, now=now)
        except DomainError as error:
            form.refuse(error)
        else:
            context |= {
                "decoded": decoded,
                "header": sorted(decoded.header.items()),
                "groups": explain(decoded.claims, now=now, names=_names(tenant, others, decoded)),
            }
    return form_page(request, "portal/decode.html", form, context)


def _names(tenant: Tenant, others: list[NamedDirectory], decoded: DecodedToken) -> dict[str, str]:
    """{value: name} for directories, well-known resources, and what the directory in use knows of the
    registrations and service principals that the claims mention.
    """
    values = {str(decoded.claims.get(name, "")) for name in _NAMED_CLAIMS}
    guids = {guid for value in values if (guid := parse_guid(value))}
    names = {value: each.name for each in well_known(settings.AUTHORITY_URL) for value in each.names}
    names |= {str(each.id): each.name for each in others}
    names[str(tenant.pk)] = tenant.name
    mentioned = Q(client_id__in=guids) | Q(service_principal_id__in=guids)
    for row in applications_in(tenant.pk).filter(mentioned)[: 2 * len(_NAMED_CLAIMS)]:
        names[str(row.client_id)] = row.display_name
        names[str(row.service_principal_id)] = f"Service principal of {row.display_name}"
    for principal in principals_in(tenant).filter(pk__in=guids)[: len(_NAMED_CLAIMS)]:
        names[str(principal.pk)] = f"Service principal of {principal.application.display_name}"
    return names
