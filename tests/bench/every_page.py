"""An address for every page that can be looked at, in the directory that `generate_demo` filled: about its
busiest registration where a page is about one, and of each list the views that grow with it.
"""

from django.test import Client
from django.urls import reverse

from credmgr.accounts import sessions
from credmgr.accounts.models import User
from credmgr.accounts.roles import Role
from credmgr.audit.models import AuditEvent, SignIn
from credmgr.credentials.demo_scale import DIRECTORY_DOMAIN
from credmgr.credentials.models import Certificate, ClientSecret
from credmgr.registrations.models import Application
from credmgr.registrations.queries import find_directory
from tests.factories import give_roles
from tests.portal.rights_scene import OF_DELETED, Scene, build, routes

# Downloads are told by their first byte, not by a page; the rest answers with an address or to a POST alone.
_NO_PAGE = "_export"


def prepare() -> tuple[Client, dict[str, str]]:
    """A client signed in as an administrator, and {name: address} of all pages that answer 200."""
    tenant = find_directory(DIRECTORY_DOMAIN)
    user = User.objects.filter(username="scale").first()
    user = user or give_roles(User.objects.create_user("scale"), Role.DIRECTORY_ADMINISTRATOR)
    busy = Application.objects.filter(tenant=tenant, deleted_at=None).earliest("created_at", "pk")
    busy = _busiest(busy)
    scene = build(tenant, user)
    client = Client(headers={"host": "localhost"}, raise_request_exception=True)
    client.force_login(user)
    session = client.session
    sessions.work_in(session, user, tenant.pk)
    session.save()
    addresses = {**_pages(scene, busy), **_views(busy)}
    return client, {name: each for name, each in addresses.items() if client.get(each).status_code == 200}


def _busiest(fallback: Application) -> Application:
    first = Application.objects.filter(is_demo=True, display_name__endswith=" 000000").first()
    return first or fallback


def _pages(scene: Scene, busy: Application) -> dict[str, str]:
    """One for each route."""
    rows = {
        "secret_id": busy.client_secrets.values_list("pk", flat=True).first(),
        "certificate_id": busy.certificates.values_list("pk", flat=True).first(),
        "credential_id": busy.federated_credentials.values_list("pk", flat=True).first(),
        "form": "cer",
    }
    found = {}
    for route in routes():
        if route.name.endswith(_NO_PAGE) or "logout" in route.name:
            continue
        known = {"application_id": busy.pk, **{name: key for name, key in rows.items() if key}}
        if route.name in OF_DELETED:
            found[route.name] = scene.address(route, own=False)
        elif "application_id" in route.takes and set(route.takes) <= set(known):
            found[route.name] = reverse(route.name, kwargs={name: known[name] for name in route.takes})
        else:
            found[route.name] = scene.address(route, own=False)
    return found


def _views(busy: Application) -> dict[str, str]:
    """Of the lists: searches, filters, orders and pages far back."""
    applications, sign_ins, audit = (
        reverse(f"portal:{name}") for name in ("applications", "sign_ins", "audit")
    )
    secret, certificate = ClientSecret.objects.first(), Certificate.objects.first()
    assert secret is not None
    assert certificate is not None
    old_event = AuditEvent.objects.order_by("sequence").first()
    old_sign_in = SignIn.objects.order_by("at").first()
    assert old_event is not None
    assert old_sign_in is not None
    ago = int(old_sign_in.at.timestamp() * 1_000_000)
    of_busy = reverse("portal:application_audit", args=[busy.pk])
    last = max(1, Application.objects.filter(deleted_at=None).count() // 25)
    return {
        "list, search: part of a name": f"{applications}?search=r+000",
        "list, search: part of many names": f"{applications}?search=worker",
        "list, search: found nowhere": f"{applications}?search=found+nowhere",
        "list, search: client ID": f"{applications}?search={busy.client_id}",
        "list, search: thumbprint": f"{applications}?search={certificate.thumbprint_sha1}",
        "list, search: hint": f"{applications}?search={secret.hint}",
        "list, last page": f"{applications}?page={last}",
        "list, owned": f"{applications}?tab=owned",
        "list, deleted": f"{applications}?tab=deleted",
        "list, newest first": f"{applications}?sort=-created",
        "list, by status": f"{applications}?sort=status",
        "list, by expiry": f"{applications}?sort=-expiry",
        "list, status: no live": f"{applications}?status=no-live",
        "list, status: soon": f"{applications}?status=soon",
        "list, status: none": f"{applications}?status=none",
        "list, lives at Entra": f"{applications}?place=entra",
        "sign-ins, 30 days": f"{sign_ins}?time=30d",
        "sign-ins, failures": f"{sign_ins}?time=30d&result=failure",
        "sign-ins, one code": f"{sign_ins}?time=30d&code=7000222",
        "sign-ins, address": f"{sign_ins}?time=30d&ip=10.24.0.30",
        "sign-ins, address nowhere": f"{sign_ins}?time=30d&ip=192.0.2.1",
        "sign-ins, search by name": f"{sign_ins}?time=30d&search=lantern",
        "sign-ins, far back": f"{sign_ins}?time=30d&before={ago + 60_000_000}.1",
        "sign-ins of one, 30 days": f"{reverse('portal:application_sign_ins', args=[busy.pk])}?time=30d",
        "audit, one activity": f"{audit}?activity=application:certificate:added",
        "audit, activity nowhere": f"{audit}?activity=directory:domain:removed",
        "audit, refused": f"{audit}?result=refused",
        "audit, search: object": f"{audit}?search=lantern",
        "audit, search: found nowhere": f"{audit}?search=found+nowhere",
        "audit, search: GUID": f"{audit}?search={busy.pk}",
        "audit, search: GUID nowhere": f"{audit}?search=6f2f4a6e-9f2c-4d0b-8a51-1c6f3f0a7e11",
        "audit, far back": f"{audit}?before={old_event.sequence + 60}",
        "audit of one, found nowhere": f"{of_busy}?search=nowhere",
        "audit of one, GUID nowhere": f"{of_busy}?search=6f2f4a6e-9f2c-4d0b-8a51-1c6f3f0a7e11",
    }
