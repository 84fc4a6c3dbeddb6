"""Every page, every role, a registration of one's own and somebody else's: who gets in.

tests/vectors/rights.tsv is the decision, one line a page and method: what each role meets when it looks and
when it acts. `.` gets in, `-` may not do it (403), `0` may not know of it (404). A role in capitals owns the
registration.
"""

from functools import cache
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from credmgr.accounts.models import RoleAssignment, User
from credmgr.accounts.roles import Role
from credmgr.audit.events import EventTag
from credmgr.audit.models import AuditEvent
from credmgr.portal.needs import NEEDS
from credmgr.registrations.models import Tenant
from tests import factories
from tests.portal.conftest import BACKEND
from tests.portal.rights_scene import Route, build, routes

pytestmark = pytest.mark.django_db

TABLE = Path(__file__).resolve().parent.parent / "vectors" / "rights.tsv"
COLUMNS = ("nobody", *(role.value for role in Role), *(role.value.upper() for role in Role))
SIGNS = {403: "-", 404: "0"}


@cache
def table() -> dict[tuple[str, str], str]:
    """{(route, method): a sign for each column}."""
    head, *lines = TABLE.read_text().splitlines()
    assert head.split("\t")[2:] == list(COLUMNS)
    return {(cells[0], cells[1]): "".join(cells[2:]) for cells in (line.split("\t") for line in lines)}


def test_every_page_has_a_need_and_a_line_in_the_table() -> None:
    """A new page joins both, and no line outlives its page."""
    names = {route.name for route in routes()}
    assert set(NEEDS) == names
    assert {name for name, _ in table()} == names


@pytest.mark.parametrize("column", COLUMNS)
def test_what_a_role_meets(column: str, directory: Tenant) -> None:
    """Each route, looking and acting."""
    user = User.objects.create_user("kit")
    scene = build(directory, user)
    if column != "nobody":
        factories.give_roles(user, Role(column.lower()), tenant=directory)
    client = _client(user)
    asked = [route for route in routes() if column.islower() or _is_about_registrations(route)]
    met = {
        (route.name, method): SIGNS.get(
            _status(client, method, scene.address(route, own=column.isupper())), "."
        )
        for route in asked
        for method in ("GET", "POST")
    }
    index = COLUMNS.index(column)
    assert met == {key: table()[key][index] for key in met}


def test_owning_a_registration_changes_nothing_elsewhere() -> None:
    """So owners are asked at the pages about registrations alone."""
    for route in routes():
        for method in ("GET", "POST"):
            signs = dict(zip(COLUMNS, table()[route.name, method], strict=True))
            if not _is_about_registrations(route):
                assert all(signs[role.value] == signs[role.value.upper()] for role in Role), route.name


def test_an_administrator_of_every_directory_gets_in_everywhere(directory: Tenant) -> None:
    """The control: what others meet comes of their roles and not of a page that lacks something."""
    scene = build(directory, User.objects.create_user("kit"))
    client = _client(factories.person("root"))
    for route in routes():
        for method in ("GET", "POST"):
            address = scene.address(route, own=False)
            assert _status(client, method, address) not in SIGNS, f"{method} {address}"


def _is_about_registrations(route: Route) -> bool:
    """One of them, or their lists and logs, whose rows follow from owning."""
    return "application_id" in route.takes or not route.takes


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def _status(client: Client, method: str, address: str) -> int:
    """The answer's status; what the request changed is taken back, the browser's cookies as well."""
    cookies = client.cookies.output()
    with transaction.atomic():
        answer = client.generic(method, address)
        transaction.set_rollback(True)
    client.cookies.clear()
    client.cookies.load(cookies.replace("Set-Cookie: ", ""))
    assert not answer.headers.get("Location", "").startswith("/account/login?"), "not signed in"
    status: int = answer.status_code
    assert status < 500
    return status


# ------------------------------------------------------------------ beyond one page at a time
def test_a_role_elsewhere_gives_nothing_here(directory: Tenant) -> None:
    """Somebody of another directory does not even learn that this one exists."""
    elsewhere = Tenant.objects.create(name="Elsewhere", created_at=timezone.now())
    user = factories.person("kit", Role.DIRECTORY_ADMINISTRATOR, tenant=elsewhere)
    client = _client(user)
    scene = build(directory, factories.person("owner"))
    for route in routes():
        if "application_id" in route.takes or "directory_id" in route.takes:
            address = scene.address(route, own=False)
            # 405: what a page takes at all is no secret
            assert {_status(client, method, address) for method in ("GET", "POST")} <= {404, 405}, address
    assert "Default Directory" not in client.get("/directories").content.decode()
    client.post("/directories/switch", {"directory": str(directory.pk)})
    assert client.get(f"/applications/{scene.foreign.pk}").status_code == 404


def test_an_owner_sees_a_list_of_their_own(directory: Tenant) -> None:
    user = factories.person("kit", Role.APPLICATION_OWNER, tenant=directory)
    build(directory, user)
    client = _client(user)
    page = client.get("/applications").content.decode()
    assert ">Own<" in page
    assert "Foreign" not in page
    assert ">Foreign<" not in client.get("/applications?search=Foreign").content.decode()
    exported = b"".join(client.get("/applications/export")).decode()
    assert "Own" in exported
    assert "Foreign" not in exported


def test_a_role_that_is_taken_away_is_gone_with_the_next_click(directory: Tenant) -> None:
    user = factories.person("kit", Role.READER, tenant=directory)
    scene = build(directory, factories.person("owner"))
    client = _client(user)
    assert client.get(f"/applications/{scene.foreign.pk}").status_code == 200
    RoleAssignment.objects.filter(user=user).delete()
    assert client.get(f"/applications/{scene.foreign.pk}").status_code == 403


def test_a_refusal_is_on_record(directory: Tenant) -> None:
    """D-1: who, where, which page."""
    user = factories.person("kit", Role.READER, tenant=directory)
    scene = build(directory, factories.person("owner"))
    assert _client(user).post(f"/applications/{scene.foreign.pk}/disable").status_code == 403
    row = AuditEvent.objects.filter(tag=EventTag.PERMISSION_REFUSED).get()
    assert (row.actor_id, row.object_name, row.succeeded) == (user.pk, "portal:application_disable", False)
    assert row.application_id == scene.foreign.pk
