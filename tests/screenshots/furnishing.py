"""What the pictures show: the demo registrations, people, and what came of pressing Test on them.

Everything is made by the acts that pages and commands call, in the installation's own database.
"""

from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.auth.hashers import make_password
from django.test import override_settings
from django.utils import timezone

from credmgr.accounts.models import User
from credmgr.accounts.roles import Role
from credmgr.audit.models import SignIn
from credmgr.audit.recording import Actor
from credmgr.authority.key_rolling import listed_keys, replace_signing_key, roll_signing_key
from credmgr.credentials.client_secrets import add_client_secret
from credmgr.credentials.demo_loading import load_demo
from credmgr.credentials.federated import add_federated_credential
from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.flowtest.material import Brought
from credmgr.flowtest.spec import Asked
from credmgr.flowtest.testing import test_credential as run_test
from credmgr.membership.invitations import invite
from credmgr.origins.changing import add_origin
from credmgr.registrations.api_roles import apis_of
from credmgr.registrations.app_roles import add_app_role, set_app_role_enabled
from credmgr.registrations.directories import add_domain, create_directory
from credmgr.registrations.directory_rules import (
    set_directory_testing,
    set_single_use_assertions,
    set_test_switches,
)
from credmgr.registrations.models import MULTITENANT, Application, Tenant
from credmgr.registrations.ownership import add_owner
from credmgr.registrations.permissions import grant_admin_consent, request_permissions
from credmgr.registrations.queries import default_tenant
from credmgr.registrations.registering import register_application
from credmgr.registrations.service_principals import add_service_principal
from credmgr.registrations.switches import Switches
from tests.factories import give_roles
from tests.installation import free_port
from tests.portal import certificate_files as files

GRAPH_SCOPE = "https://graph.microsoft.com/.default"
PLANNER_SCOPE = "api://demo-route-planner/.default"
GITHUB = "https://token.actions.githubusercontent.com"
# As long as names may reasonably get; nothing in it breaks by itself.
LONG_NAME = "Interbank Settlement Reconciliation Adapter for the Northern Branches (second attempt, staging)"

# "harbor" -> application id, "harbor/worker-prod" -> credential id, "run/refused" -> run id, and so on.
Things = dict[str, str]


def furnish(administrator: str) -> Things:
    """Fill the directory of the running installation; returns the ids that pictures ask for."""
    tenant, now = default_tenant(), timezone.now()
    robin = User.objects.get(username=administrator)
    robin.first_name, robin.last_name = "Robin", "Vale"
    robin.save()
    noor = _person("noor", "Noor", "Hadley")
    give_roles(noor, Role.READER, tenant=tenant)
    actor = Actor(robin.shown_name, robin, "127.0.0.1")
    _person("ada", "Ada", "Byron", password="a-long-enough-phrase")  # of nobody real
    load_demo(tenant, actor=actor, now=now)
    things: Things = {"robin": str(robin.pk), "noor": str(noor.pk), "password": "a-long-enough-phrase"}
    for application in Application.objects.filter(tenant=tenant, is_demo=True):
        _note(things, application.display_name.split()[0].lower(), application)
    for name, key in (("Ledger Export", "ledger"), ("Nobody Asked", "bare"), (LONG_NAME, "long")):
        _note(things, key, register_application(tenant=tenant, display_name=name, actor=actor, now=now))
    _fill_long(_application(things["long"]), actor)
    _note(things, "long", _application(things["long"]))
    add_owner(_application(things["harbor"]), user=noor, actor=actor, now=now)
    invitation, _ = invite(
        name="Kim Park", tenant=tenant, roles={Role.TESTER, Role.AUDITOR}, actor=actor, now=now
    )
    things["invitation"] = str(invitation.pk)
    _test_hours_ago(things, actor)
    _permissions(tenant, things, actor)
    _federated(things, actor)
    _tests(things, actor)
    _directories(tenant, things, actor)
    _origins(things, actor)
    _signing_keys(things, actor)
    _testing(things, actor)
    for key, rows in (
        ("sign-in/refused", SignIn.objects.filter(error_code__gt=0)),
        ("sign-in/done", SignIn.objects.filter(error_code=0)),
    ):
        things[key] = str(rows.order_by("-sequence")[0].sequence)
    return things


def _signing_keys(things: Things, actor: Actor) -> None:
    """One of each state: retired, still published, signing, next."""
    for days in (41, 32, 0):
        replace_signing_key(
            withdraw_older=days == 32, actor=actor, now=timezone.now() - timedelta(days=days, minutes=20)
        )
    roll_signing_key(actor=actor, now=timezone.now())
    for each in listed_keys(timezone.now()):
        things[f"signing-key/{each.state}"] = str(each.key.pk)


def _testing(things: Things, actor: Actor) -> None:
    """A strict test directory with switches on; a second one with none."""
    now = timezone.now()
    for key, switches in (
        ("testing", Switches(every=3, retry_after=5, code=7000215, until=now + timedelta(hours=6))),
        ("testing-off", Switches()),
    ):
        made = create_directory(name=f"Northwind {key}", domain=f"northwind-{key}", actor=actor, now=now)
        version = made.version
        set_directory_testing(made, is_test=True, expected_version=version, actor=actor, now=now)
        set_single_use_assertions(made, enabled=True, expected_version=version + 1, actor=actor, now=now)
        set_test_switches(made, switches=switches, expected_version=version + 2, actor=actor, now=now)
        things[f"{key}-directory"] = str(made.pk)


def _person(user_name: str, first: str, last: str, *, password: str | None = None) -> User:
    return User.objects.create(
        username=user_name, first_name=first, last_name=last, password=make_password(password)
    )


def _application(application_id: str) -> Application:
    return Application.objects.select_related("tenant").get(pk=application_id)


def _note(things: Things, key: str, application: Application) -> None:
    things[key] = str(application.pk)
    for model in (ClientSecret, Certificate):
        for row in model.objects.filter(application=application):
            things[f"{key}/{row.description.split()[0]}"] = str(row.pk)


def _fill_long(application: Application, actor: Actor) -> None:
    """One secret whose description is as long as the name of its application."""
    now = timezone.now()
    add_client_secret(
        application,
        description=f"long {LONG_NAME}",
        start_at=now,
        end_at=now + timedelta(days=12),
        actor=actor,
        now=now,
    )


def _permissions(tenant: Tenant, things: Things, actor: Actor) -> None:
    """Roles of the planner, one disabled; the worker asks for some, and some are granted."""
    now = timezone.now()
    planner, harbor = _application(things["route"]), _application(things["harbor"])
    for value, name, description in (
        ("Routes.Read.All", "Read routes", "Read every planned route, without a signed-in person."),
        ("Routes.Write", "Change routes", "Plan routes anew and cancel them."),
        ("Shipments.Read.All", "Read shipments", "Read every shipment with its addresses."),
    ):
        role = add_app_role(
            planner, display_name=name, value=value, description=description, actor=actor, now=now
        )
        things[f"role/{value}"] = str(role.pk)
        things.setdefault("api", str(planner.client_id))
    apis = {api.name: api for api in apis_of(tenant.pk)}
    wanted = {
        "Route Planner API": {"Routes.Read.All", "Shipments.Read.All"},
        "Microsoft Graph": {"Mail.Send"},
    }
    for api_name, values in wanted.items():
        roles = [role for role in apis[api_name].roles if role.value in values]
        request_permissions(
            harbor,
            api_client_id=apis[api_name].client_id,
            role_ids=[role.id for role in roles],
            actor=actor,
            now=now,
        )
    grant_admin_consent(harbor, actor=actor, now=now)
    graph = apis["Microsoft Graph"]
    later = next(role for role in graph.roles if role.value == "User.Read.All")
    request_permissions(harbor, api_client_id=graph.client_id, role_ids=[later.id], actor=actor, now=now)
    things |= {"graph": str(graph.client_id), "graph/User.Read.All": str(later.id)}
    disabled = planner.app_roles.get(value="Shipments.Read.All")
    set_app_role_enabled(disabled, enabled=False, actor=actor, now=now)


def _federated(things: Things, actor: Actor) -> None:
    """A pipeline of a listed issuer and a cluster of one that is not."""
    application = _application(things["build"])
    for name, issuer, subject, description in (
        ("deploy-main", GITHUB, "repo:norrvik/freight:ref:refs/heads/main", "Deploys from the main branch"),
        ("nightly", "https://cluster.norrvik.example", "system:serviceaccount:jobs:nightly", ""),
    ):
        row = add_federated_credential(
            application,
            name=name,
            issuer=issuer,
            subject=subject,
            description=description,
            actor=actor,
            now=timezone.now(),
        )
        things[f"build/{name}"] = str(row.pk)


def _directories(tenant: Tenant, things: Things, actor: Actor) -> None:
    """A second one with a domain more than it began with."""
    now = timezone.now()
    other = create_directory(name="Partner Harbors", domain="partner-harbors", actor=actor, now=now)
    domain = add_domain(other, domain="harbors.example", actor=actor, now=now)
    things |= {"directory": str(tenant.pk), "partner-directory": str(other.pk), "domain": str(domain.pk)}
    _enterprise_applications(tenant, other, things, actor)


def _enterprise_applications(tenant: Tenant, other: Tenant, things: Things, actor: Actor) -> None:
    """One of the partners' with consent and a permission left to grant, one without, and one of our own."""
    now = timezone.now()
    graph = apis_of(tenant.pk)[0]
    ids = {role.value: role.id for role in graph.roles}
    partner, gateway, own = (
        register_application(
            tenant=home, display_name=name, sign_in_audience=MULTITENANT, actor=actor, now=now
        )
        for home, name in (
            (other, "Berth Planner"),
            (other, "Customs gateway for all harbors of the northern region"),
            (tenant, "Freight Status API"),
        )
    )
    for app, value in ((partner, "Mail.Send"), (gateway, "User.Read.All")):
        request_permissions(app, api_client_id=graph.client_id, role_ids=[ids[value]], actor=actor, now=now)
    principal, _ = add_service_principal(tenant, client_id=str(partner.client_id), actor=actor, now=now)
    request_permissions(
        partner, api_client_id=graph.client_id, role_ids=[ids["User.Read.All"]], actor=actor, now=now
    )
    things |= {
        "partner-app/client": str(partner.client_id),
        "partner-app/principal": str(principal.pk),
        "partner-gateway/client": str(gateway.client_id),
        "multitenant": str(own.pk),
        "graph": str(graph.client_id),
        "mail-send": str(ids["Mail.Send"]),
    }


def _origins(things: Things, actor: Actor) -> None:
    """One of a cluster in the same house, one elsewhere."""
    now = timezone.now()
    for key, address, name, is_private in (
        ("origin", "https://idp.norrvik.example:8443", "Staging identity provider", False),
        ("origin-private", "https://10.24.6.40", "Cluster of the warehouse", True),
    ):
        row = add_origin(address=address, name=name, is_private=is_private, actor=actor, now=now)
        things[key] = str(row.pk)


def _test_hours_ago(things: Things, actor: Actor) -> None:
    """A token that a clock two hours slow finds not valid yet: the one way to an unverified token."""
    run, _ = run_test(
        _application(things["harbor"]),
        _credential(things["harbor/worker-prod"]),
        asked=Asked(GRAPH_SCOPE),
        actor=actor,
        now=timezone.now() - timedelta(hours=2),
    )
    things["run/unverified"] = str(run.pk)


def _tests(things: Things, actor: Actor) -> None:
    """Press Test as people do: it works, in one shape and in both, and it fails in every way there is."""
    now = timezone.now()
    ledger = _application(things["ledger"])
    add_client_secret(
        ledger, description="first", start_at=now, end_at=now + timedelta(days=180), actor=actor, now=now
    )
    _note(things, "ledger", ledger)
    rsa, ec_key = files.key_pem(files.rsa_key()), files.key_pem(ec.generate_private_key(ec.SECP256R1()))
    closed = f"https://localhost:{free_port()}"

    def test(key: str, credential: str, scope: str, *, key_file: bytes | None = None) -> None:
        row = _credential(things[credential])
        application = _application(str(row.application_id))
        run, _ = run_test(
            application,
            row,
            asked=Asked(scope),
            brought=Brought(private_key_file=key_file),
            actor=actor,
            now=timezone.now(),
        )
        things[f"run/{key}"] = str(run.pk)

    test("expired-secret", "harbor/smoke-test", GRAPH_SCOPE)
    test("unknown-resource", "harbor/worker-prod", "api://no-such-api/.default")
    with override_settings(AUTHORITY_URL=closed):
        test("unreachable", "harbor/worker-prod", GRAPH_SCOPE)
    test("secret", "harbor/worker-prod", PLANNER_SCOPE)
    test("certificate", "harbor/harbor-sync-old", PLANNER_SCOPE)
    test("wrong-key", "customs/customs-gateway", GRAPH_SCOPE, key_file=rsa)
    test("plain-client", "partner/partner-ec", GRAPH_SCOPE, key_file=ec_key)
    test("disabled", "night/batch-b", GRAPH_SCOPE)
    test("first", "ledger/first", GRAPH_SCOPE)
    test("long", "long/long", GRAPH_SCOPE)


def _credential(credential_id: str) -> ClientSecret | Certificate:
    return ClientSecret.objects.filter(pk=credential_id).first() or Certificate.objects.get(pk=credential_id)
