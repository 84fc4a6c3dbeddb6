"""What the failed run rules out: rows that are fine, shown below those that point to the cause."""

from credmgr.credentials.lifecycle import is_live
from credmgr.flowtest.diagnosis.case import SKEW, Case
from credmgr.flowtest.inspection import shown_moment
from credmgr.flowtest.report import Evidence
from credmgr.registrations.models import BUILT_IN

# In the authority's order of checks: a refusal by a later check clears the earlier ones.
_TENANT_CODES = {90002, 900021, 900023}
_CLIENT_CODES = {700016, 700038}
_DISABLED_CODES = {7000112}


def ruled_out(case: Case) -> list[Evidence]:
    """Facts that were checked and are in order, most basic first."""
    rows: list[Evidence] = []
    if case.code and case.target.kind == BUILT_IN:
        if case.code not in _TENANT_CODES | _CLIENT_CODES:
            rows.append(Evidence("fine", "Client ID and directory", "Known, otherwise AADSTS700016 or 90002"))
        if case.application and not case.application.is_disabled and case.code not in _DISABLED_CODES:
            rows.append(Evidence("fine", "Sign-in", "Enabled for this application"))
    rows += _credential_rows(case)
    if case.code and case.scope.endswith("/.default") and len(case.scope.split()) == 1:
        known = any(case.resource in resource.names for resource in case.near.resources)
        if known:
            rows.append(Evidence("fine", "Scope", f"{case.resource} is known in this directory"))
    skew = case.result.clock_skew_seconds
    if skew is not None:
        off = abs(skew) > SKEW.total_seconds()
        words = (
            "Equal to this server's" if skew == 0 else f"{abs(skew):g} s {'ahead' if skew > 0 else 'behind'}"
        )
        words = f"{words}, 5 minutes allowed"
        rows.append(Evidence("cause" if off else "fine", "Clock of the authority", words))
    return rows


def _credential_rows(case: Case) -> list[Evidence]:
    row = case.dated
    if row is None:
        return []
    rows = []
    what = "Secret dates" if case.is_secret else "Certificate dates"
    if row.end_at is not None and is_live(row, case.now):
        rows.append(Evidence("fine", what, f"{shown_moment(row.start_at)} to {shown_moment(row.end_at)}"))
    if case.key_matches:
        rows.append(Evidence("fine", "Private key and certificate", "Belong together"))
    return rows
