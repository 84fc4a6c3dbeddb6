"""The message on a run's page that a directory may not know something new yet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from credmgr.accounts.models import User
from credmgr.credentials.lifecycle import is_live
from credmgr.credentials.models import FederatedCredential
from credmgr.flowtest.material import Credential, credential_name, needs_input
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.patience import LIMIT, PAUSE, TRIES_MAX, Patience, patience
from credmgr.flowtest.queries import refused_until
from credmgr.flowtest.report import Diagnosis, Report
from credmgr.registrations.models import Application


@dataclass(frozen=True)
class PatienceView:
    """plan: what was decided. name: of the credential. answer: what it was refused with."""

    plan: Patience
    name: str
    added_at: datetime
    answer: str
    tries_max: int = TRIES_MAX
    pause_seconds: int = int(PAUSE.total_seconds())
    limit_seconds: int = int(LIMIT.total_seconds())


def patience_view(
    application: Application,
    run: FlowRun,
    report: Report,
    credential: Credential | None,
    *,
    reader: Any,
    now: datetime,
) -> PatienceView | None:
    """For the page of the run; None where waiting changes nothing, or the run was made at another place.

    reader: who looks. Only their own newest run goes on by itself.
    """
    if credential is None or run.place_id is not None or report.decisive.verdict.is_success:
        return None
    has_ended = not isinstance(credential, FederatedCredential) and not is_live(credential, now)
    added_at = max(credential.created_at, application.created_at)
    plan = patience(
        kind=report.aim.kind,
        is_explained=has_ended or _is_explained(report.diagnosis),
        added_at=added_at,
        runs=refused_until(run),
        is_own=not needs_input(credential) and isinstance(reader, User) and run.actor_id == reader.pk,
        now=now,
    )
    if plan is None:
        return None
    return PatienceView(plan, credential_name(credential), added_at, f"AADSTS{run.error_code}")


def _is_explained(diagnosis: Diagnosis) -> bool:
    """Whether the value itself was found wrong: the answer is then a note beside the cause."""
    return any(row.subject == "Answer" and row.level == "note" for row in diagnosis.evidence)
