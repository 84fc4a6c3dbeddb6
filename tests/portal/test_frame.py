"""The frame around every page: landing, navigation, theme, help."""

import re

import pytest
from django.conf import settings
from django.test import Client

from credmgr.portal.navigation import THEME_COOKIE
from credmgr.registrations.models import Application, Tenant
from tests.portal.questions import assert_asks_for_sign_in, assert_refuses_methods

pytestmark = pytest.mark.django_db


def test_one_lands_on_app_registrations(signed_in: Client) -> None:
    answer = signed_in.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/applications")
    assert settings.LOGIN_REDIRECT_URL == "portal:applications"


@pytest.mark.parametrize("address", ["/", "/help"])
def test_asks_for_sign_in(directory: Tenant, address: str) -> None:
    assert_asks_for_sign_in(address)


def test_help_is_read_only(signed_in: Client) -> None:
    assert signed_in.get("/help").status_code == 200
    assert_refuses_methods(signed_in, "/help", ["POST", "PUT", "DELETE"])


def test_theme_is_remembered_in_a_cookie_and_written_into_the_page(signed_in: Client) -> None:
    answer = signed_in.post("/theme", {"theme": "dark", "next": "/help"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/help")
    assert signed_in.cookies[THEME_COOKIE].value == "dark"
    assert b'<html lang="en" data-theme="dark"' in signed_in.get("/help").content
    signed_in.post("/theme", {"theme": "system", "next": "/help"})
    assert b"data-theme=" not in signed_in.get("/help").content


@pytest.mark.parametrize("goal", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_theme_leads_nowhere_else(signed_in: Client, goal: str) -> None:
    answer = signed_in.post("/theme", {"theme": "light", "next": goal})
    assert answer.headers["Location"] == "/applications"


def test_an_invented_theme_never_reaches_the_page(signed_in: Client) -> None:
    signed_in.cookies[THEME_COOKIE] = '"><script>'
    assert b"data-theme=" not in signed_in.get("/help").content


def test_theme_is_changed_by_post_only(signed_in: Client) -> None:
    assert_refuses_methods(signed_in, "/theme", ["GET", "PUT"])


def test_navigation_marks_where_one_is(signed_in: Client, harbor: Application) -> None:
    body = signed_in.get(f"/applications/{harbor.pk}/properties").content.decode()
    marked = re.findall(
        r'<a class="(nav-item|menu-item)"[^>]*aria-current="page"[^>]*>.*?<span[^>]*>([^<]+)', body
    )
    assert marked == [("nav-item", "App registrations"), ("menu-item", "Branding &amp; properties")]


def test_pages_hold_no_inline_script_style_or_handler(signed_in: Client, harbor: Application) -> None:
    for address in ("/help", "/applications", "/audit", f"/applications/{harbor.pk}"):
        body = signed_in.get(address).content.decode()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", body), address
        for script in re.findall(r"<script[^>]*>(.*?)</script>", body, re.DOTALL):
            assert script == ""
