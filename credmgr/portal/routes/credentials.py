"""Addresses: Certificates & secrets of an application."""

from django.urls import URLPattern, path

from credmgr.portal.views import certificates, federated, secrets

_CREDENTIALS = "applications/<uuid:application_id>/credentials"
_SECRET = f"{_CREDENTIALS}/secrets/<uuid:secret_id>"
_FEDERATED = f"{_CREDENTIALS}/federated/<uuid:credential_id>"
_CERTIFICATE = f"{_CREDENTIALS}/certificates/<uuid:certificate_id>"

urlpatterns: list[URLPattern] = [
    path(_CREDENTIALS, federated.credentials, name="credentials"),
    path(f"{_CREDENTIALS}/federated", federated.federated, name="federated"),
    path(f"{_CREDENTIALS}/federated/new", federated.federated_new, name="federated_new"),
    path(f"{_FEDERATED}/edit", federated.federated_edit, name="federated_edit"),
    path(f"{_FEDERATED}/delete", federated.federated_delete, name="federated_delete"),
    path(f"{_CREDENTIALS}/secrets", secrets.secrets, name="secrets"),
    path(f"{_CREDENTIALS}/secrets/new", secrets.secret_new, name="secret_new"),
    path(f"{_SECRET}/delete", secrets.secret_delete, name="secret_delete"),
    path(f"{_SECRET}/stored", secrets.secret_stored, name="secret_stored"),
    path(f"{_CREDENTIALS}/certificates", certificates.certificates, name="certificates"),
    path(f"{_CREDENTIALS}/certificates/new", certificates.certificate_new, name="certificate_new"),
    path(
        f"{_CREDENTIALS}/certificates/examine", certificates.certificate_examine, name="certificate_examine"
    ),
    path(_CERTIFICATE, certificates.certificate, name="certificate"),
    path(f"{_CERTIFICATE}/delete", certificates.certificate_delete, name="certificate_delete"),
    path(f"{_CERTIFICATE}/forget-key", certificates.certificate_forget_key, name="certificate_forget_key"),
    path(
        f"{_CERTIFICATE}/download/<str:form>", certificates.certificate_download, name="certificate_download"
    ),
]
