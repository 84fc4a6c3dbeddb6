"""Addresses: logs."""

from django.urls import URLPattern, path

from credmgr.portal.views import audit, sign_ins

urlpatterns: list[URLPattern] = [
    path("sign-ins", sign_ins.sign_ins, name="sign_ins"),
    path("sign-ins/<int:sequence>", sign_ins.sign_in, name="sign_in"),
    path("audit", audit.audit, name="audit"),
    path(
        "applications/<uuid:application_id>/sign-ins",
        sign_ins.application_sign_ins,
        name="application_sign_ins",
    ),
    path("applications/<uuid:application_id>/audit", audit.application_audit, name="application_audit"),
]
