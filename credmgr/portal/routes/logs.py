"""Addresses: logs."""

from django.urls import URLPattern, path

from credmgr.portal.views import audit, sign_in_export, sign_ins

urlpatterns: list[URLPattern] = [
    path("sign-ins", sign_ins.sign_ins, name="sign_ins"),
    path("sign-ins/export", sign_in_export.sign_ins_export, name="sign_ins_export"),
    path("sign-ins/<int:sequence>", sign_ins.sign_in, name="sign_in"),
    path("audit", audit.audit, name="audit"),
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
