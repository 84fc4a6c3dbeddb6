"""Health for machines, and the local CA's certificate for whoever wants to trust it."""

import ipaddress

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from credmgr.accounts.public import public
from credmgr.localca.authority import ca_certificate_pem
from credmgr.ops.front_gate import PEER, is_in
from credmgr.ops.health import readiness
from credmgr.ops.metrics import CONTENT_TYPE, metrics_text

# What a proxy says about whom it speaks for.
_FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP")


@public
@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """The process answers. Asks nothing of the database, so that a slow one gets no server restarted."""
    return JsonResponse({"status": "live"})


@public
@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """200 when requests can be served, else 503 with what is missing."""
    checks = readiness()
    good = all(checks.values())
    return JsonResponse(
        {"status": "ready" if good else "not ready", "checks": checks}, status=200 if good else 503
    )


@public
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures for named scrapers and for whoever has the token; for all others there is nothing here."""
    if not _may_scrape(request):
        if not settings.METRICS_TOKEN:
            raise Http404
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="Metrics"'})
    return HttpResponse(metrics_text(), content_type=CONTENT_TYPE)


@sensitive_variables("given")
def _may_scrape(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "")
    if settings.METRICS_TOKEN and constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}"):
        return True
    address = request.META.get("REMOTE_ADDR", "")
    if address == request.META.get(PEER) and any(name in request.headers for name in _FORWARDED):
        return False  # a proxy that nobody named: its own address says nothing about who asks
    return is_in(address, tuple(map(ipaddress.ip_network, settings.METRICS_FROM)))


@public
@require_safe
def ca_certificate(_request: HttpRequest) -> HttpResponse:
    """The local CA's certificate as a download; 404 where a public certificate is in use."""
    pem = ca_certificate_pem()
    if pem is None:
        raise Http404
    answer = HttpResponse(pem, content_type="application/x-pem-file")
    answer["Content-Disposition"] = 'attachment; filename="credential-manager-ca.pem"'
    return answer
