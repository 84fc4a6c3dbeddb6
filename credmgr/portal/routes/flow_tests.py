"""Addresses: flow_tests."""

from django.urls import path

from credmgr.portal.views import code, flow_comparisons, flow_tests

_APPLICATION = "applications/<uuid:application_id>"

urlpatterns = [
    path(f"{_APPLICATION}/tests", flow_tests.history, name="tests"),
    path(f"{_APPLICATION}/tests/new", flow_tests.new, name="test_new"),
    path(f"{_APPLICATION}/tests/compare", flow_comparisons.chosen, name="test_compare_chosen"),
    path(f"{_APPLICATION}/tests/compare/new", flow_comparisons.compare_new, name="test_compare_new"),
    path(
        f"{_APPLICATION}/tests/<uuid:run_id>/compare/<uuid:other_id>",
        flow_comparisons.compare,
        name="test_compare",
    ),
    path(f"{_APPLICATION}/tests/<uuid:run_id>", flow_tests.detail, name="test"),
    path(f"{_APPLICATION}/code", code.code, name="code"),
]
