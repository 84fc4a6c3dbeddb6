"""Health for machines, and the local CA's certificate for whoever wants to trust it."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from credmgr.accounts.public import public
from credmgr.localca.authority import ca_certificate_pem
from credmgr.ops.health import readiness


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
def ca_certificate(_request: HttpRequest) -> HttpResponse:
    """The local CA's certificate as a download; 404 where a public certificate is in use."""
    pem = ca_certificate_pem()
    if pem is None:
        raise Http404
    answer = HttpResponse(pem, content_type="application/x-pem-file")
    answer["Content-Disposition"] = 'attachment; filename="credential-manager-ca.pem"'
    return answer
