"""Addresses: logs."""

from django.urls import URLPattern, path

from credmgr.portal.views import audit, audit_export, sign_in_export, sign_ins

urlpatterns: list[URLPattern] = [
    path("sign-ins", sign_ins.sign_ins, name="sign_ins"),
    path("sign-ins/export", sign_in_export.sign_ins_export, name="sign_ins_export"),
    path("sign-ins/<int:sequence>", sign_ins.sign_in, name="sign_in"),
    path("audit", audit.audit, name="audit"),
    path("audit/verify", audit.audit_verify, name="audit_verify"),
    path("audit/export", audit_export.audit_export, name="audit_export"),
    path(
        "applications/<uuid:application_id>/sign-ins",
        sign_ins.application_sign_ins,
        name="application_sign_ins",
    ),
    path(
        "applications/<uuid:application_id>/sign-ins/export",
        sign_in_export.application_sign_ins_export,
        name="application_sign_ins_export",
    ),
    path("applications/<uuid:application_id>/audit", audit.application_audit, name="application_audit"),
]
