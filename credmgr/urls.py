"""The address map of the portal. The authority's own addresses are answered earlier, by its gate."""

from django.urls import include, path

urlpatterns = [
    path("", include("credmgr.ops.urls")),
    path("", include("credmgr.portal.account_urls")),
    path("", include("credmgr.portal.urls")),
]
handler400 = "credmgr.portal.views.errors.bad_request"
handler403 = "credmgr.portal.views.errors.forbidden"
handler404 = "credmgr.portal.views.errors.not_found"
handler500 = "credmgr.portal.views.errors.server_error"
