"""Addresses of this package."""

from django.urls import path

from credmgr.ops import views

urlpatterns = [
    path("health/live", views.live, name="health_live"),
    path("health/ready", views.ready, name="health_ready"),
    path("metrics", views.metrics, name="metrics"),
    path("ca.pem", views.ca_certificate, name="ca_certificate"),
]
