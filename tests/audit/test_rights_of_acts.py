"""An act asks once more, where it writes its audit row: a page that forgot to ask lets nobody through."""

import pytest

from credmgr.accounts.models import User
from credmgr.accounts.roles import NotAllowedError, Role, Standing
from credmgr.audit.models import AuditEvent
from credmgr.audit.recording import Actor
from credmgr.credentials.client_secrets import delete_client_secret
from credmgr.credentials.models import ClientSecret
from credmgr.registrations.deleting import delete_application
from credmgr.registrations.models import Application
from credmgr.registrations.registering import register_application
from tests import factories

pytestmark = pytest.mark.django_db


def without_rights(*roles: Role) -> Actor:
    """Somebody whose roles are these, acting past every page."""
    app_directory = factories.application("Holder").tenant_id
    standing = Standing(roles={app_directory: frozenset(roles)} if roles else {})
    return Actor("Kit Vale", User.objects.create_user("kit"), standing=standing)


@pytest.mark.parametrize("roles", [(), (Role.READER,), (Role.TESTER,), (Role.AUDITOR,)])
def test_l4_an_act_asks_once_more_who_acts(roles: tuple[Role, ...]) -> None:
    """L-4: and what it had done is taken back with it."""
    app = factories.application()
    secret, _ = factories.secret(app)
    actor = without_rights(*roles)
    events = AuditEvent.objects.count()
    for act in (
        lambda: register_application(
            tenant=app.tenant, display_name="Smuggled", actor=actor, now=factories.NOW
        ),
        lambda: delete_application(app, actor=actor, now=factories.NOW),
        lambda: delete_client_secret(secret, actor=actor, now=factories.NOW),
    ):
        with pytest.raises(NotAllowedError):
            act()
    assert not Application.objects.filter(display_name="Smuggled").exists()
    assert Application.objects.get(pk=app.pk).deleted_at is None
    assert ClientSecret.objects.filter(pk=secret.pk).exists()
    assert AuditEvent.objects.count() == events
