"""A directory with so much in it that pages say how far they looked."""

from dataclasses import replace

from django.db.models import Count
from django.utils import timezone

from credmgr.audit.entry_pages import FIRST_LOOK
from credmgr.audit.models import SignIn
from credmgr.audit.recording import Actor
from credmgr.audit.sign_in_questions import EXAMINED_ROWS
from credmgr.credentials.demo_scale import SMALL, generate_demo


def grown_directory() -> dict[str, str]:
    """Fill one; returns its id and that of the registration that signed in most often, by name."""
    amounts = replace(
        SMALL, registrations=8, credentials=24, sign_ins=EXAMINED_ROWS + 5_000, audit_rows=FIRST_LOOK + 500
    )
    tenant = generate_demo(
        amounts,
        directory=None,
        beside_real_ones=True,
        progress=_silent,
        actor=Actor.command(),
        now=timezone.now(),
    )
    rows = SignIn.objects.filter(tenant_id=tenant.pk, error_code=0).values("application_id")
    busiest = rows.annotate(rows=Count("pk")).order_by("-rows")[0]["application_id"]
    return {"grown-directory": str(tenant.pk), "grown/busiest": str(busiest)}


def _silent(*_: object) -> None:
    """Nobody watches it grow."""
