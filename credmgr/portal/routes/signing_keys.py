"""Addresses: the keys that sign access tokens."""

from django.urls import URLPattern, path

from credmgr.portal.views import signing_keys

_ONE = "signing-keys/<uuid:key_id>"

urlpatterns: list[URLPattern] = [
    path("signing-keys", signing_keys.signing_keys, name="signing_keys"),
    path("signing-keys/roll", signing_keys.signing_key_roll, name="signing_key_roll"),
    path("signing-keys/replace", signing_keys.signing_key_replace, name="signing_key_replace"),
    path(_ONE, signing_keys.signing_key, name="signing_key"),
    path(f"{_ONE}/withdraw", signing_keys.signing_key_withdraw, name="signing_key_withdraw"),
    path(f"{_ONE}/download/<str:form>", signing_keys.signing_key_download, name="signing_key_download"),
]
