"""What a run's page shows, put together from the stored report."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from credmgr.credentials.models import Certificate, ClientSecret, FederatedCredential
from credmgr.flowtest.comparison import Difference, differences, same_count
from credmgr.flowtest.federation import difference
from credmgr.flowtest.inspection import ClaimLine, explain, moment
from credmgr.flowtest.material import Credential, needs_input
from credmgr.flowtest.models import FlowRun
from credmgr.flowtest.queries import failing_since, previous_success
from credmgr.flowtest.report import SHAPE_NAMES, Report, ShapeResult, TokenFacts, Verdict
from credmgr.portal.waterfall import Waterfall, milliseconds, waterfall_of
from credmgr.registrations.models import BUILT_IN, OIDC, Application, Tenant
from credmgr.registrations.queries import parse_guid
from credmgr.registrations.resources import find_resource


@dataclass(frozen=True)
class ShapeView:
    """One shape of the credential: its trace, and its line in the side-by-side table."""

    result: ShapeResult
    name: str
    key: str
    waterfall: Waterfall
    algorithm: str
    key_named_by: str
    sends_certificate: bool
    outcome: str
    tone: str
    time: str
    client: str
    client_reason: str


@dataclass(frozen=True)
class TokenView:
    """The decoded token."""

    facts: TokenFacts
    groups: list[tuple[str, list[ClaimLine]]]
    ends: datetime | None
    signature_ok: bool
    checks_heading: str


@dataclass(frozen=True)
class Comparison:
    """This run's token beside the one before."""

    before: FlowRun
    differences: list[Difference]
    same: int


def shape_view(result: ShapeResult, *, opens: bool = True) -> ShapeView:
    """A shape for the page. opens: whether its most telling step starts open."""
    header: dict[str, Any] = result.assertion.get("header", {})
    named = [name for name in ("kid", "x5t", "x5t#S256") if name in header]
    if result.verdict is Verdict.VERIFIED:
        outcome, tone = "Token verified", "ok"
    elif result.verdict is Verdict.ACQUIRED:
        outcome, tone = "Token acquired", "ok"
    elif result.error:
        code = f"AADSTS{result.error.code}" if result.error.code else result.error.error
        outcome, tone = f"Refused, {code}", "bad"
    elif result.verdict is Verdict.UNVERIFIED:
        outcome, tone = "Token not verified", "bad"
    elif result.verdict is Verdict.INVALID:
        outcome, tone = "Not sent", "bad"
    else:
        outcome, tone = "No usable answer", "bad"
    return ShapeView(
        result=result,
        name=SHAPE_NAMES[result.shape],
        key=result.shape.value,
        waterfall=waterfall_of(result.hops, opens=opens),
        algorithm=str(header.get("alg", "")),
        key_named_by=", ".join(named),
        sends_certificate="x5c" in header,
        outcome=outcome,
        tone=tone,
        time=milliseconds(result.duration_ms),
        client=result.client,
        client_reason=result.client_reason,
    )


def result_context(application: Application, run: FlowRun, now: datetime) -> dict[str, Any]:
    """Context of the run's page."""
    report = Report.from_json(run.report)
    decisive = report.decisive
    shapes = [shape_view(item, opens=item is decisive) for item in report.shapes]
    token = next((item.token for item in report.shapes if item.token), None)
    credential = credential_of(application, run)
    worked = decisive.verdict.is_success
    since, failures = (None, 0) if worked else failing_since(run)
    return {
        "application": application,
        "run": run,
        "report": report,
        "diagnosis": report.diagnosis,
        "succeeded": worked,
        "target": report.aim,
        "presented": [
            {"row": row, "words": difference(row.configured, row.presented)} for row in report.presented
        ],
        "shapes": shapes,
        "decisive": decisive,
        "support": support_text(run, report),
        "token": _token_view(application, report, run.scope, token, now) if token else None,
        "comparison": _comparison(run, token),
        "credential": credential,
        "rerun": rerun_fields(run, report),
        "runs_at_once": credential is not None and not needs_input(credential),
        "failing_since": since if failures > 1 else None,
        "failures": failures,
    }


def rerun_fields(run: FlowRun, report: Report) -> list[tuple[str, str]]:
    """(name, value) of the form that repeats this run."""
    asked = [(name, getattr(report.aim, name)) for name in ("resource", "audience", "key_id")]
    return [
        ("credential", str(run.credential_id)),
        ("scope", run.scope),
        *([("directory", str(asked_in))] if (asked_in := directory_of_run(report)) else []),
        *((name, value) for name, value in asked if value),
    ]


def directory_of_run(report: Report) -> uuid.UUID | None:
    """The directory of the built-in authority that was asked; None elsewhere."""
    return parse_guid(report.authority.rpartition("/")[2]) if report.aim.kind == BUILT_IN else None


def credential_of(application: Application, run: FlowRun) -> Credential | None:
    """The credential that was tested, None when it has been deleted since."""
    if run.credential_id is None:
        return None
    if run.credential_kind == "federated":
        return FederatedCredential.objects.filter(application=application, pk=run.credential_id).first()
    if run.credential_kind == "secret":
        return ClientSecret.objects.filter(application=application, pk=run.credential_id).first()
    return Certificate.objects.filter(application=application, pk=run.credential_id).first()


def support_text(run: FlowRun, report: Report) -> str:
    """Everything a support request needs, as one text to copy. Empty without a refusal."""
    result = report.decisive
    error = result.error
    if error is None:
        return ""
    if report.aim.kind == OIDC:
        return "\n".join(
            [
                f"Error: {error.error}, {error.status}",
                f"Description: {error.description}",
                f"Issuer: {report.authority}",
                f"Client ID: {report.aim.client_id}",
                f"Time: {run.started_at.isoformat(timespec='seconds')}",
            ]
        )
    lines = [
        f"Error: {error.error}, {error.status}",
        f"Error codes: {', '.join(str(code) for code in error.codes)}",
        f"Trace ID: {error.trace_id}",
        f"Correlation ID: {error.correlation_id or result.correlation_id}",
        f"Timestamp: {error.timestamp}",
    ]
    return "\n".join(lines)


def _token_view(
    application: Application, report: Report, scope: str, token: TokenFacts, now: datetime
) -> TokenView:
    names = _names(application, report, scope, token)
    return TokenView(
        facts=token,
        groups=explain(token.claims, now=now, names=names),
        ends=moment(token.claims.get("exp")),
        signature_ok=token.verdict.is_success,
        checks_heading="Every check passed"
        if all(check.outcome == "ok" for check in token.checks)
        else "Nothing speaks against it",
    )


def _names(application: Application, report: Report, scope: str, token: TokenFacts) -> dict[str, str]:
    """What is known here of ids in the token."""
    if report.aim.kind != BUILT_IN:
        return {report.aim.client_id: application.display_name}
    asked_in = directory_of_run(report) or application.tenant_id
    names = {
        str(application.client_id): application.display_name,
        str(application.tenant_id): application.tenant.name,
    }
    if asked_in != application.tenant_id:
        names |= {str(row.pk): row.name for row in Tenant.objects.filter(pk=asked_in)}
    resource = find_resource(asked_in, scope.removesuffix("/.default"))
    if resource:
        names |= {str(resource.client_id): resource.name, str(token.claims.get("aud")): resource.name}
    return names


def _comparison(run: FlowRun, token: TokenFacts | None) -> Comparison | None:
    before = previous_success(run) if token else None
    if before is None or token is None:
        return None
    old = Report.from_json(before.report).shapes[0].token
    return Comparison(before, differences(old, token), same_count(old, token)) if old else None
