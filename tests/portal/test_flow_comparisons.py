"""Two runs side by side: choosing them, what is equal, what differs, what only one of them has."""

import copy
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from credmgr.accounts import sessions
from credmgr.accounts.roles import Role
from credmgr.audit.recording import Actor
from credmgr.credentials.certificates import add_certificate
from credmgr.credentials.findings import examine
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.report import Report
from credmgr.flowtest.side_by_side import Mark, side_by_side
from credmgr.registrations.models import Application, Tenant
from tests import factories
from tests.flowtest.far_side import Client as CertificateHolder
from tests.portal.conftest import BACKEND
from tests.portal.rights_scene import REPORT

pytestmark = pytest.mark.django_db


def report(**claims: Any) -> dict[str, Any]:
    """A stored report with a token of these claims; without any, a refused one."""
    made = copy.deepcopy(REPORT)
    if claims:
        shape: Any = made["shapes"][0]  # type: ignore[index] # plain JSON
        shape["verdict"] = "verified"
        shape["token"] = {
            "header": {"alg": "RS256", "kid": "k1"},
            "claims": claims,
            "length": 900,
            "checks": [],
        }
    return made


def run(application: Application, data: dict[str, Any], name: str = "worker") -> FlowRun:
    """A stored run."""
    return FlowRun.objects.create(
        application=application,
        credential_kind="secret",
        credential_name=name,
        target="Built-in authority",
        scope="api://orders/.default",
        verdict=data["shapes"][0]["verdict"],
        duration_ms=12,
        correlation_id=uuid.uuid4(),
        started_at=timezone.now(),
        report=data,
    )


def test_each_member_has_its_mark() -> None:
    first = Report.from_json(report(aud="a", roles=["Read"], azpacr="1", uti="x", only="here"))
    second = Report.from_json(report(aud="a", roles=["Read", "Write"], azpacr="2", uti="y", idtyp="app"))
    found = side_by_side(first, second)
    assert found is not None
    assert {row.name: row.mark for row in found.claims} == {
        "aud": Mark.EQUAL,
        "roles": Mark.DIFFERS,
        "azpacr": Mark.DIFFERS,
        "only": Mark.FIRST_ONLY,
        "idtyp": Mark.SECOND_ONLY,
    }
    assert [row.name for row in found.noise] == ["uti"]
    assert found.differing == 4
    assert found.claims[-1].name == "aud", "what differs stands first"


def test_without_a_token_there_is_nothing_to_compare() -> None:
    refused = Report.from_json(report())
    assert side_by_side(refused, refused) is None
    one = side_by_side(refused, Report.from_json(report(aud="a")))
    assert one is not None
    assert [row.mark for row in one.claims] == [Mark.SECOND_ONLY]


def test_the_page_of_two_runs(signed_in: Client, harbor: Application) -> None:
    first = run(harbor, report(aud="a", roles=["Read"]), "old secret")
    second = run(harbor, report(aud="a", roles=["Read", "<b>Write</b>"]), "new secret")
    page = signed_in.get(f"/applications/{harbor.pk}/tests/{first.pk}/compare/{second.pk}").content.decode()
    for words in ("old secret", "new secret", "1 difference in header and claims", "Differs", "Equal"):
        assert words in page
    assert "<b>Write</b>" not in page
    assert "&lt;b&gt;Write&lt;/b&gt;" in page


def test_a_refused_run_beside_a_good_one(signed_in: Client, harbor: Application) -> None:
    first, second = run(harbor, report()), run(harbor, report(aud="a"))
    page = signed_in.get(f"/applications/{harbor.pk}/tests/{first.pk}/compare/{second.pk}").content.decode()
    assert "Only in the second" in page
    both = signed_in.get(f"/applications/{harbor.pk}/tests/{first.pk}/compare/{first.pk}").content.decode()
    assert "Neither run brought a token" in both


def test_runs_of_another_registration_are_not_found(
    signed_in: Client, harbor: Application, register: Any
) -> None:
    own, foreign = run(harbor, report(aud="a")), run(register("Other"), report(aud="a"))
    for first, second in ((own, foreign), (foreign, own)):
        address = f"/applications/{harbor.pk}/tests/{first.pk}/compare/{second.pk}"
        assert signed_in.get(address).status_code == 404


@pytest.mark.parametrize("ticked", [[], ["one"], ["one", "one"], ["one", "two", "three"], ["one", "no id"]])
def test_exactly_two_are_ticked(signed_in: Client, harbor: Application, ticked: list[str]) -> None:
    ids = {name: str(run(harbor, report(aud="a")).pk) for name in ("one", "two", "three")}
    chosen = [ids.get(name, name) for name in ticked]
    address = f"/applications/{harbor.pk}/tests/compare"
    answer = signed_in.get(address, {"run": chosen}, follow=True)
    assert answer.redirect_chain[-1][0] == f"/applications/{harbor.pk}/tests"
    assert "Tick exactly two runs" in answer.content.decode()


def test_the_older_of_two_comes_first(signed_in: Client, harbor: Application) -> None:
    older, newer = run(harbor, report(aud="a")), run(harbor, report(aud="b"))
    answer = signed_in.get(
        f"/applications/{harbor.pk}/tests/compare", {"run": [str(newer.pk), str(older.pk)]}
    )
    assert answer["Location"] == f"/applications/{harbor.pk}/tests/{older.pk}/compare/{newer.pk}"
    history = signed_in.get(f"/applications/{harbor.pk}/tests").content.decode()
    assert "Compare the two ticked" in history


def test_without_a_credential_that_runs_by_itself_the_form_says_what_to_do(
    signed_in: Client, harbor: Application
) -> None:
    page = signed_in.get(f"/applications/{harbor.pk}/tests/compare/new").content.decode()
    assert "No credential of this registration can be run" in page


def test_an_owner_without_sight_of_the_directory_learns_of_no_other_registration(
    directory: Tenant, register: Any
) -> None:
    """The places on offer are other registrations: for those who may know of them alone."""
    own = register("Own")
    register("Somebody else's")
    factories.secret(own, now=timezone.now())
    kit = factories.person("kit", Role.APPLICATION_OWNER, tenant=directory)
    own.ownerships.create(user=kit)
    client = Client()
    client.force_login(kit, backend=BACKEND)
    page = client.get(f"/applications/{own.pk}/tests/compare/new").content.decode()
    assert "This registration" in page
    assert "Somebody else" not in page


def test_l2_a_kept_private_key_is_compared_only_after_the_password(
    signed_in: Client, harbor: Application
) -> None:
    """Nothing is run while the password is asked; what was chosen stays."""
    holder, now = CertificateHolder(), timezone.now()
    found = examine(
        harbor,
        certificate_file=holder.pem,
        keep_private_key=True,
        key_file=holder.key_pem,
        password="",
        now=now,
    )
    kept = add_certificate(harbor, examination=found, description="", actor=Actor.command(), now=now)
    session = signed_in.session
    session[sessions.CONFIRMED_AT] = 0.0
    session.save()
    sides = {
        f"{side}_{name}": value
        for side in ("first", "second")
        for name, value in (("credential", str(kept.pk)), ("scope", "api://kept/.default"))
    }
    answer = signed_in.post(f"/applications/{harbor.pk}/tests/compare/new", sides)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Enter your password" in page
    assert 'value="api://kept/.default"' in page
    assert not FlowRun.objects.exists()
