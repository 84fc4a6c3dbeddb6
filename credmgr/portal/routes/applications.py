"""Addresses: registrations."""

from django.urls import URLPattern, path

from credmgr.portal.views import applications, deleting, overview, owners, properties, registering, transfer

_ONE = "applications/<uuid:application_id>"

urlpatterns: list[URLPattern] = [
    path("applications", applications.applications, name="applications"),
    path("applications/export", applications.applications_export, name="applications_export"),
    path("applications/new", registering.application_new, name="application_new"),
    path("applications/import", transfer.application_import, name="application_import"),
    path(_ONE, overview.application, name="application"),
    path(f"{_ONE}/endpoints", overview.application_endpoints, name="application_endpoints"),
    path(f"{_ONE}/properties", properties.application_properties, name="application_properties"),
    path(f"{_ONE}/owners", owners.application_owners, name="application_owners"),
    path(
        f"{_ONE}/owners/<uuid:user_id>/remove",
        owners.application_owner_remove,
        name="application_owner_remove",
    ),
    path(f"{_ONE}/disable", deleting.application_disable, name="application_disable"),
    path(f"{_ONE}/export", transfer.application_export, name="application_export"),
    path(f"{_ONE}/delete", deleting.application_delete, name="application_delete"),
    path(f"{_ONE}/restore", deleting.application_restore, name="application_restore"),
    path(f"{_ONE}/purge", deleting.application_purge, name="application_purge"),
]
