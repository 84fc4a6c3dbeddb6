"""Rules about federated credentials: what the outside token says against what the application trusts."""

from credmgr.credentials.models import FederatedCredential
from credmgr.flowtest.diagnosis.case import SKEW, Case, Rule, run_again
from credmgr.flowtest.federation import difference, presented_values
from credmgr.flowtest.inspection import moment, relative, shown_moment
from credmgr.flowtest.report import Diagnosis, Evidence, Presented, Step

NO_TRUST = 70025
# code: the name of the value that none of the application's federated credentials has.
MISMATCHES = {700211: "Issuer", 700212: "Audience", 700213: "Subject", 7002138: "Subject", 70021: ""}
KEYS_NOT_HAD = 50166
UNREADABLE = 50027
NOT_SIGNED = 700027
OUTSIDE_TIMES = 700024


def mismatch(case: Case) -> Diagnosis | None:
    """No federated credential has this issuer, audience or subject."""
    trust = case.federated
    if trust is None or case.code not in MISMATCHES:
        return None
    values = presented_values(trust, case.result)
    named = MISMATCHES[case.code]
    unequal = [row for row in values if not row.is_equal]
    told = next((row for row in values if row.name == named and not row.is_equal), None)
    told = told or (unequal[0] if unequal else None)
    what = (told.name if told else named or "identity").lower()
    also = FederatedCredential.objects.filter(application_id=case.owner_id).exclude(pk=trust.pk)
    return Diagnosis(
        f"federated-{what}",
        f"No token: the outside token has another {what} than {trust.name} trusts",
        "Issuer, subject and audience are compared to the letter: case, slashes and spaces count.",
        [
            Step(
                "Change what is trusted, or what the token says",
                f"{difference(told.configured, told.presented)}." if told else "Compare the values below.",
                "portal:federated_edit",
                {**case.owner_page, "credential_id": str(trust.pk)},
                "Edit federated credential",
            ),
            run_again(case, "With a fresh token: the one of this run was not kept."),
        ],
        [
            *([] if unequal else [Evidence("cause", "Answer", f"AADSTS{case.code}")]),
            *(_row(each) for each in values),
            Evidence("note", "Others on this application", str(also.count())),
        ],
        [told.presented] if told and told.presented else [],
    )


def not_trusted(case: Case) -> Diagnosis | None:
    """The application has no federated credential at all, there."""
    if case.federated is None or case.code != NO_TRUST:
        return None
    return Diagnosis(
        "federated-none",
        "No token: the authority knows no federated credential of this application",
        "What stands here is not known there: deleted meanwhile, or never added at that authority.",
        [
            Step("Add it there", "With the same issuer, subject and audience."),
            run_again(case, "With a fresh token: the one of this run was not kept."),
        ],
        [Evidence("cause", "Answer", "AADSTS70025")],
    )


def times(case: Case) -> Diagnosis | None:
    """The outside token has ended, or has not begun."""
    if case.federated is None or case.code != OUTSIDE_TIMES:
        return None
    claims = case.result.assertion.get("claims", {})
    rows = [
        Evidence("cause" if bad else "fine", name, f"{shown_moment(at)}, {relative(at, case.now)}")
        for name, at, bad in (
            ("Ends", moment(claims.get("exp")), True),
            ("Begins", moment(claims.get("nbf")), False),
        )
        if at
    ]
    ends = moment(claims.get("exp"))
    over = ends is not None and ends <= case.now - SKEW
    return Diagnosis(
        "outside-token-ended" if over else "outside-token-times",
        "No token: the outside token has ended"
        if over
        else "No token: the outside token is outside its times",
        "Outside tokens live for minutes. A program fetches a fresh one each time it needs it.",
        [
            Step("Fetch a fresh token", "From the outside issuer, right before the test."),
            run_again(case, "With the fresh token."),
        ],
        rows or [Evidence("cause", "Times", "The token names none that can be read")],
    )


def keys_not_had(case: Case) -> Diagnosis | None:
    """The authority could not use the outside issuer's metadata or keys."""
    trust = case.federated
    if trust is None or case.code != KEYS_NOT_HAD:
        return None
    return Diagnosis(
        "outside-issuer-unusable",
        "No token: the authority could not get the outside issuer's keys",
        "Issuer, subject and audience fit. The issuer's metadata or key set could not be fetched or used.",
        [
            Step(
                "See whether the authority may reach the issuer",
                "The built-in authority calls listed origins only; a Microsoft cloud needs the issuer on the "
                "public internet.",
                "portal:origins",
                {},
                "Allowed origins",
            ),
            run_again(case, "With a fresh token: the one of this run was not kept."),
        ],
        [Evidence("cause", "Outside issuer", trust.issuer)],
        [trust.issuer],
    )


def not_signed(case: Case) -> Diagnosis | None:
    """The signature is not of a published key, or the token cannot be read at all."""
    trust = case.federated
    if trust is None or case.code not in (NOT_SIGNED, UNREADABLE):
        return None
    header = case.result.assertion.get("header", {})
    return Diagnosis(
        "outside-token-not-signed" if case.code == NOT_SIGNED else "outside-token-unreadable",
        "No token: the outside token is not signed by a key of its issuer"
        if case.code == NOT_SIGNED
        else "No token: the outside token cannot be read",
        "It was changed on the way, cut off, made by somebody else, or signed in a way that is not taken.",
        [
            Step("Fetch a fresh token", "And hand it over whole: three parts with dots between."),
            run_again(case, "With the fresh token."),
        ],
        [
            Evidence("cause", "Algorithm", str(header.get("alg") or "Not told")),
            Evidence("cause", "Key", str(header.get("kid") or "Not named")),
            Evidence("note", "Issuer trusted", trust.issuer),
        ],
    )


RULES: list[Rule] = [mismatch, not_trusted, times, keys_not_had, not_signed]


def _row(value: Presented) -> Evidence:
    if value.is_equal:
        return Evidence("fine", value.name, f"{value.configured}, as trusted")
    said = value.presented or "nothing"
    return Evidence("cause", value.name, f"Trusted: {value.configured}. Presented: {said}")
