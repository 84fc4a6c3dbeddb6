"""Looking changes nothing, whatever page it is; the way out is on each of them (L-5)."""

from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from credmgr.accounts.models import Session, ThrottleCounter, User
from credmgr.audit.models import AuditChain, AuditEvent
from credmgr.registrations.models import Tenant
from tests import factories
from tests.portal.conftest import BACKEND
from tests.portal.rights_scene import build, routes

pytestmark = pytest.mark.django_db

# A session notes that the person is still here; a limit that somebody looks; exports are on record.
_OF_THE_VISIT = {Session, ThrottleCounter, AuditEvent, AuditChain}


def stored() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table that a page could change."""
    return {
        model._meta.db_table: list(model._default_manager.order_by("pk").values())
        for model in apps.get_models()
        if model not in _OF_THE_VISIT and model._meta.managed
    }


@pytest.fixture
def root(directory: Tenant) -> Client:
    """Somebody who may look at everything."""
    client = Client()
    client.force_login(factories.person("root"), backend=BACKEND)
    return client


def test_l5_nothing_changes_by_looking(directory: Tenant, root: Client) -> None:
    """L-5: GET and HEAD on every page there is; what they leave in the audit is that a list was exported."""
    scene = build(directory, User.objects.create_user("kit"))
    root.get("/applications")
    before, events = stored(), AuditEvent.objects.count()
    for route in routes():
        address = scene.address(route, own=False)
        root.get(address)
        root.head(address)
    assert stored() == before
    left = {event.tag for event in AuditEvent.objects.order_by("pk")[events:]}
    assert all(tag.endswith((":exported", ":signed-out")) for tag in left), left
    assert ":signed-out" not in " ".join(left)


def test_every_page_has_the_way_out(directory: Tenant, root: Client) -> None:
    """Of those that are pages: signing out is one press of a button in a form of its own, never a link."""
    scene = build(directory, User.objects.create_user("kit"))
    seen = 0
    for route in routes():
        answer = root.get(scene.address(route, own=False))
        if answer.status_code != 200 or not answer.headers["Content-Type"].startswith("text/html"):
            continue
        body = answer.content.decode()
        if "<html" not in body or route.name == "account_logout":
            continue
        seen += 1
        assert 'action="/account/logout"' in body or 'href="/account/logout"' in body, route.name
    assert seen > 40
