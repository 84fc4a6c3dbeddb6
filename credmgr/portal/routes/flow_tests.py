"""Addresses: flow_tests."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
