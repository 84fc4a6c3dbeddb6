"""The diagnosis of a run: the first rule that applies, else what the catalogue of codes says."""

from credmgr import aadsts
from credmgr.flowtest.diagnosis import (
    certificates,
    cloud_credentials,
    cloud_requests,
    directories,
    federation,
    oauth,
    outside,
    requests,
    secrets,
    switches,
    wire,
)
from credmgr.flowtest.diagnosis.case import Case, Rule, run_again
from credmgr.flowtest.diagnosis.evidence import ruled_out
from credmgr.flowtest.report import Diagnosis, Evidence, Step, Verdict
from credmgr.registrations.models import BUILT_IN, ENTRA, OIDC

RULES: dict[str, list[Rule]] = {
    BUILT_IN: [
        switches.forced_by_a_switch,
        *wire.RULES,
        *federation.RULES,
        *certificates.RULES,
        *secrets.RULES,
        *directories.RULES,
        *requests.RULES,
    ],
    ENTRA: [
        *outside.RULES,
        *federation.RULES,
        certificates.key_kind,
        certificates.key_of_another_certificate,
        certificates.clock_off,
        *cloud_credentials.RULES,
        *cloud_requests.RULES,
        *oauth.RULES,
    ],
    OIDC: [*outside.RULES, certificates.key_of_another_certificate, *oauth.RULES],
}


def diagnose(case: Case) -> Diagnosis:
    """Cause and cure of a run that did not end with a verified token, cause first, then what is ruled out."""
    found = next((found for rule in RULES[case.target.kind] if (found := rule(case)) is not None), None)
    diagnosis = found or _unexplained(case)
    said = {row.subject for row in diagnosis.evidence}
    diagnosis.evidence += [row for row in ruled_out(case) if row.subject not in said]
    diagnosis.evidence.sort(key=lambda row: ("cause", "note", "fine").index(row.level))
    if case.code:
        diagnosis.marks += [str(case.code)]
        diagnosis.meaning = meaning_of(case.code)
    return diagnosis


def meaning_of(code: int) -> str:
    """What the catalogue of error codes says, empty for a code it does not hold."""
    entry = aadsts.CATALOGUE.get(code)
    return entry.meaning if entry else ""


def _unexplained(case: Case) -> Diagnosis:
    if case.result.verdict is Verdict.UNVERIFIED:
        return _unverified(case)
    if case.result.verdict is Verdict.INVALID:
        return Diagnosis(
            "client-refused",
            "Not sent: the client refused the credential",
            case.result.failure_detail,
            [run_again(case, "With a key and a scope that the client takes.")],
            [Evidence("cause", case.result.client, case.result.failure_detail)],
        )
    entry = aadsts.CATALOGUE.get(case.code)
    error = case.result.error
    named = f"AADSTS{case.code}" if case.code else (error.error if error else "") or "an error without a code"
    return Diagnosis(
        "refused",
        f"No token: the authority answered {named}",
        entry.meaning if entry else (case.description[:300] or case.result.failure_detail),
        [
            Step("Do what the code asks for", entry.cure)
            if entry
            else Step("Read the answer", "It is below, as it came."),
            run_again(case),
        ],
        [
            Evidence(
                "cause",
                "Answer",
                f"{error.status} {error.error}".strip() if error else case.result.failure_detail,
            )
        ],
    )


def _unverified(case: Case) -> Diagnosis:
    token = case.result.token
    failed = [check for check in token.checks if check.outcome == "failed"] if token else []
    names = ", ".join(check.name for check in failed)
    return Diagnosis(
        "unverified",
        f"A token came, and it does not hold: {names}" if names else "A token came that cannot be checked",
        "The authority accepted the credential. An API that checks tokens as it should would refuse this "
        "one.",
        [
            Step(
                "Compare what the check says",
                "; ".join(check.detail for check in failed) or case.result.failure_detail,
            ),
            run_again(case),
        ],
        [Evidence("cause", check.name, check.detail) for check in failed]
        or [Evidence("cause", "Token", case.result.failure_detail)],
    )
