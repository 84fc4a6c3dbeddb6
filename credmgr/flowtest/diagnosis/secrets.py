"""Rules about client secrets: AADSTS7000215 and 7000222 against what is stored."""

import uuid

from credmgr.credentials.client_secrets import match_secret
from credmgr.credentials.lifecycle import end_of
from credmgr.credentials.models import ClientSecret
from credmgr.credentials.secret_values import checksum_holds, hint_of
from credmgr.flowtest.diagnosis.case import Case, Rule, new_secret, run_again
from credmgr.flowtest.diagnosis.pasted import is_guid
from credmgr.flowtest.inspection import relative, shown_moment
from credmgr.flowtest.report import Diagnosis, Evidence, Step

WRONG_SECRET = 7000215
EXPIRED_SECRET = 7000222


def secret_id_pasted(case: Case) -> Diagnosis | None:
    """The Secret ID was sent in place of the Value: the commonest mistake of all."""
    if case.code != WRONG_SECRET or not is_guid(case.presented):
        return None
    row = ClientSecret.objects.filter(pk=uuid.UUID(case.presented.strip())).first()
    if row is None:
        finding = "Is a GUID; no value made here looks like that"
    else:
        finding = f"Is the Secret ID of {row.description or 'a client secret'}"
    return Diagnosis(
        "secret-id-pasted",
        "No token: the Secret ID was sent instead of the Value",
        "What was entered is an identifier. The Value is the 44 characters that were shown once, when the "
        "secret was made.",
        [
            Step(
                "Use the Value",
                "Look it up where it was stored when the secret was made. It cannot be shown again here.",
            ),
            new_secret(
                case, "Where the Value was not stored: the new one is shown once, with a way to copy it."
            ),
            run_again(case),
        ],
        [Evidence("cause", "What was sent", finding)],
    )


def secret_deleted(case: Case) -> Diagnosis | None:
    """The row went while, or before, the test ran."""
    if case.code != WRONG_SECRET or not case.is_secret or case.credential is not None:
        return None
    return Diagnosis(
        "secret-deleted",
        f"No token: {case.credential_name} has been deleted",
        "The secret is no longer on this application, and a deleted secret cannot be restored.",
        [new_secret(case, "Put its value where the deleted one was used."), run_again(case)],
        [Evidence("cause", "This client secret", "Deleted, no longer on this application")],
    )


def secret_not_yet_valid(case: Case) -> Diagnosis | None:
    """The start date lies ahead."""
    row = case.secret
    if case.code != WRONG_SECRET or row is None or row.start_at <= case.now:
        return None
    return Diagnosis(
        "secret-not-yet-valid",
        f"No token: {case.credential_name} is not valid yet",
        f"It starts on {shown_moment(row.start_at)}, {relative(row.start_at, case.now)}. Until then it "
        "counts as wrong.",
        [
            Step("Wait for the start date", f"{shown_moment(row.start_at)}."),
            new_secret(case, "Or add one that starts now."),
        ],
        [
            Evidence(
                "cause", "Start date", f"{shown_moment(row.start_at)}, {relative(row.start_at, case.now)}"
            )
        ],
    )


def secret_of_another_application(case: Case) -> Diagnosis | None:
    """The value is right, for somebody else."""
    if case.code not in (WRONG_SECRET, EXPIRED_SECRET) or len(case.presented) < 16:
        return None
    alike = ClientSecret.objects.filter(hint=hint_of(case.presented)).exclude(
        application_id=case.application_id
    )
    row = _match(list(alike.select_related("application")[:200]), case)
    if row is None:
        return None
    other = row.application
    return Diagnosis(
        "secret-of-another-application",
        "No token: the value belongs to another application",
        f"It is the secret {row.description or row.pk} of {other.display_name}. A secret works for its "
        "own application only.",
        [
            Step(
                f"Test it on {other.display_name}",
                "Or use that application's client ID where this value is configured.",
                "portal:secrets",
                {"application_id": str(other.pk)},
                f"Secrets of {other.display_name}",
            ),
            Step(
                "Use a secret of this application",
                "They begin with the characters in the Value column.",
                "portal:secrets",
                case.page,
                "Client secrets",
            ),
        ],
        [
            Evidence(
                "cause", "What was sent", f"Is the secret {row.description or row.pk} of {other.display_name}"
            ),
            Evidence("cause", "Sent as client", str(case.client_id)),
        ],
    )


def other_secret_of_this_application(case: Case) -> Diagnosis | None:
    """The value matches an expired sibling of the chosen secret."""
    if case.code != EXPIRED_SECRET:
        return None
    siblings = list(ClientSecret.objects.filter(application_id=case.application_id))
    match = _match(siblings, case) or case.secret
    if match is None:
        return None
    ended = f"{shown_moment(end_of(match))}, {relative(end_of(match), case.now)}"
    return Diagnosis(
        "secret-expired",
        f"No token: {match.description or 'this client secret'} has expired",
        f"It ended on {ended}. The value itself is right.",
        [
            new_secret(case, "Put its value where the expired one is used; both may live side by side."),
            run_again(case),
        ],
        [
            Evidence("cause", "End date", ended),
            Evidence("fine", "Value", "Matches the stored digest"),
        ],
    )


def damaged_value(case: Case) -> Diagnosis | None:
    """The value begins like a known one, or its checksum tells that a character was lost."""
    if case.code != WRONG_SECRET or not case.presented:
        return None
    whole = checksum_holds(case.presented)
    if whole:
        headline = "No token: no secret of this application has this value"
        summary = (
            "The value is complete, but its secret is not on this application. "
            "It was deleted, or made in another directory."
        )
    else:
        headline = "No token: the value is damaged or was not made here"
        summary = (
            "Its checksum does not hold, so a character was lost or changed on the way, "
            "or it is not a secret's value."
        )
    return Diagnosis(
        "secret-unknown" if whole else "secret-damaged",
        headline,
        summary,
        [
            Step(
                "Copy the Value again",
                "The whole of it, without quotes or spaces: 44 characters with _cm_ after the third.",
            ),
            new_secret(
                case, "Where it is lost: the new value is shown once and works with the next request."
            ),
            run_again(case),
        ],
        _traces(case, is_whole=whole),
    )


def _traces(case: Case, *, is_whole: bool) -> list[Evidence]:
    """What the value itself tells: white space, how it begins, whether a character was lost."""
    traces = []
    if case.presented != case.presented.strip():
        traces.append(Evidence("cause", "White space", "Stands before or after the value"))
    if case.secret is not None:
        known, of = case.secret.hint, case.credential_name
        unlike = "" if hint_of(case.presented) == known else "Not "
        traces.append(Evidence("cause", "First characters", f"{unlike}{known}, those of {of}"))
    if is_whole:
        told = "Holds: a value made here, of a secret that is not on this application"
    else:
        told = f"Does not hold: {len(case.presented)} characters, of which at least one is wrong or missing"
    traces.append(Evidence("note" if is_whole else "cause", "Built-in checksum", told))
    return traces


RULES: list[Rule] = [
    secret_id_pasted,
    secret_deleted,
    secret_not_yet_valid,
    secret_of_another_application,
    other_secret_of_this_application,
    damaged_value,
]


def _match(rows: list[ClientSecret], case: Case) -> ClientSecret | None:
    """The row whose value was presented, expired ones included."""
    return match_secret(rows, case.presented, case.now).secret
