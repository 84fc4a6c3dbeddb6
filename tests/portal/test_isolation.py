"""What is another directory's answers 404, on every page there is and however one asks."""

import uuid

import pytest
from django.test import Client
from django.urls import URLPattern

from credmgr.portal.urls import urlpatterns
from credmgr.registrations.models import Application, Tenant
from tests.portal.conftest import UNKNOWN

pytestmark = pytest.mark.django_db


def pages() -> list[URLPattern]:
    """Every page of one application."""
    return [pattern for pattern in urlpatterns if "application_id" in pattern.pattern.converters]


def address_of(pattern: URLPattern, application_id: uuid.UUID) -> str:
    """Its address, with something that fits in every other place."""
    text = str(pattern.pattern)
    for name, converter in pattern.pattern.converters.items():
        kind = type(converter).__name__
        value = application_id if name == "application_id" else UNKNOWN
        shown = {"UUIDConverter": str(value), "IntConverter": "1"}.get(kind, "der")
        start = text.index("<")
        text = text[:start] + shown + text[text.index(">") + 1 :]
    return f"/{text}"


@pytest.mark.parametrize("pattern", pages(), ids=lambda pattern: pattern.name)
def test_another_directorys_application_is_nowhere(
    signed_in: Client, harbor: Application, foreign: Application, pattern: URLPattern
) -> None:
    address = address_of(pattern, foreign.pk)
    for method in ("get", "post"):
        assert getattr(signed_in, method)(address).status_code in (404, 405), f"{method} {address}"
    allowed = [getattr(signed_in, method)(address).status_code for method in ("get", "post")]
    assert 404 in allowed, address


def test_the_same_pages_open_where_it_lives(
    signed_in: Client, harbor: Application, foreign: Application, directory: Tenant
) -> None:
    """The control: it is the directory that hides them, and switching shows them."""
    plain = [pattern for pattern in pages() if len(pattern.pattern.converters) == 1]
    own = [address_of(pattern, harbor.pk) for pattern in plain]
    theirs = [address_of(pattern, foreign.pk) for pattern in plain]
    here = [signed_in.get(address).status_code for address in own]
    assert here.count(200) > 20
    signed_in.post("/directories/switch", {"directory": str(foreign.tenant_id)})
    assert [signed_in.get(address).status_code for address in theirs] == here
    assert {signed_in.get(address).status_code for address in own} <= {404, 405}
