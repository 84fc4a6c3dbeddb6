"""What a running server looks after by itself."""

from datetime import timedelta

import pytest
from django.utils import timezone

from credmgr.audit.events import EventTag
from credmgr.audit.models import AuditEvent
from credmgr.audit.recording import Actor
from credmgr.ops.installation import look_after
from credmgr.registrations.directories import ensure_default_tenant
from credmgr.registrations.models import Application
from credmgr.registrations.registering import delete_application, register_application


@pytest.mark.django_db
def test_deleted_registrations_go_for_good_after_30_days() -> None:
    """Not a day earlier, and with an audit event."""
    now = timezone.now()
    actor = Actor.command()
    tenant = ensure_default_tenant(now)
    old, young = (
        register_application(tenant=tenant, display_name=name, actor=actor, now=now)
        for name in ("old", "young")
    )
    delete_application(old, actor=actor, now=now - timedelta(days=30, seconds=5))
    delete_application(young, actor=actor, now=now - timedelta(days=29))
    look_after(now)
    assert not Application.objects.filter(pk=old.pk).exists()
    assert Application.objects.filter(pk=young.pk).exists()
    assert AuditEvent.objects.filter(tag=EventTag.APPLICATION_PURGED.value, application_id=old.pk).exists()
