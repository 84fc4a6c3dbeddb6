"""The questions that every page is asked."""

from collections.abc import Iterable

from django.test import Client

from credmgr.registrations.models import Application
from tests.portal.conftest import UNKNOWN


def assert_asks_for_sign_in(address: str) -> None:
    """Somebody who is not signed in is led to the sign-in page and learns nothing."""
    answer = Client().get(address)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/account/login")


def assert_refuses_methods(client: Client, address: str, methods: Iterable[str]) -> None:
    """Each of these methods is answered with 405 and changes nothing."""
    for method in methods:
        answer = client.generic(method, address)
        assert answer.status_code == 405, method
        assert answer.headers["Allow"]


def assert_hides(client: Client, template: str, foreign: Application) -> None:
    """Another directory's registration and an unknown one look alike: 404. template: "/applications/{}"."""
    for application_id in (foreign.pk, UNKNOWN):
        assert client.get(template.format(application_id)).status_code == 404
    assert client.get(template.format("not-a-guid")).status_code == 404
