"""Addresses: enterprise applications, and consent that brings them into a directory."""

from django.urls import URLPattern, path

from credmgr.portal.views import consent, enterprise

_ONE = "enterprise-applications/<uuid:principal_id>"
_CONSENT = "directories/<uuid:directory_id>/consent"

urlpatterns: list[URLPattern] = [
    path("enterprise-applications", enterprise.enterprise_applications, name="enterprise_applications"),
    path(
        "enterprise-applications/new", consent.enterprise_application_new, name="enterprise_application_new"
    ),
    path(_ONE, enterprise.enterprise_application, name="enterprise_application"),
    path(f"{_ONE}/enable", enterprise.enterprise_application_enable, name="enterprise_application_enable"),
    path(f"{_ONE}/remove", enterprise.enterprise_application_remove, name="enterprise_application_remove"),
    path(f"{_ONE}/grant", enterprise.enterprise_application_grant, name="enterprise_application_grant"),
    path(
        f"{_ONE}/permissions/<uuid:api_id>/<uuid:role_id>/revoke",
        enterprise.enterprise_application_revoke,
        name="enterprise_application_revoke",
    ),
    path(_CONSENT, consent.directory_consent, name="directory_consent"),
    path(f"{_CONSENT}/<uuid:client_id>", consent.directory_consent_review, name="directory_consent_review"),
]
