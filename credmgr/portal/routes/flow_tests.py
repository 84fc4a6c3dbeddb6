"""Addresses: flow_tests."""

from django.urls import path

from credmgr.portal.views import code, flow_tests

_APPLICATION = "applications/<uuid:application_id>"

urlpatterns = [
    path(f"{_APPLICATION}/tests", flow_tests.history, name="tests"),
    path(f"{_APPLICATION}/tests/new", flow_tests.new, name="test_new"),
    path(f"{_APPLICATION}/tests/<uuid:run_id>", flow_tests.detail, name="test"),
    path(f"{_APPLICATION}/code", code.code, name="code"),
]
