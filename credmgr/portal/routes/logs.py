"""Addresses: logs."""

from django.urls import URLPattern, path

from credmgr.portal.views import audit

urlpatterns: list[URLPattern] = [
    path("audit", audit.audit, name="audit"),
    path("applications/<uuid:application_id>/audit", audit.application_audit, name="application_audit"),
]
