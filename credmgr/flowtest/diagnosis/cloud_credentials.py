"""Rules about the Microsoft clouds: a directory's refusals of a credential, against what is stored here."""

import re

from credmgr.credentials.secret_values import checksum_holds
from credmgr.flowtest.diagnosis.case import Case, Rule, run_again
from credmgr.flowtest.diagnosis.pasted import is_guid, looks_wrong
from credmgr.flowtest.diagnosis.secrets import EXPIRED_SECRET, WRONG_SECRET
from credmgr.flowtest.inspection import relative, shown_moment
from credmgr.flowtest.report import Diagnosis, Evidence, Step

BAD_KEY = 700027
# The form in which Entra makes values today: 40 characters with 7Q~ or 8Q~ after the third.
VALUE_CHARACTERS = 40
_MARK = re.compile(r"[A-Za-z0-9_~.-]{3}\dQ~")


def wrong_secret(case: Case) -> Diagnosis | None:
    """7000215: none of the client's live secrets has this value."""
    if case.code != WRONG_SECRET:
        return None
    evidence = looks_wrong(case) + _shape_of(case)
    is_told = any(row.level == "cause" for row in evidence)
    if is_guid(case.presented):
        headline = "No token: a Secret ID was sent instead of the Value"
        summary = "What was sent is an identifier. The Value is shown there once, right after it was made."
    else:
        headline = "No token: the directory knows no live secret of this client with that value"
        summary = (
            "The value is wrong or damaged, was deleted there, or is another client's. A secret that was "
            "made a moment ago may need some more."
        )
    return Diagnosis(
        "secret-unknown-there",
        headline,
        summary,
        [
            Step(
                "Make a new secret in the Microsoft Entra admin center",
                "App registrations, the application, Certificates & secrets, New client secret. Copy the "
                "Value, not the Secret ID.",
            ),
            _paste(case),
            run_again(case, "With the new one."),
        ],
        [*evidence, Evidence("note" if is_told else "cause", "Answer", "AADSTS7000215, invalid secret")],
    )


def expired_secret(case: Case) -> Diagnosis | None:
    """7000222: the value is right and its time is over."""
    if case.code != EXPIRED_SECRET:
        return None
    row = case.secret
    evidence = [Evidence("cause", "Answer", "AADSTS7000222: the secret has ended there")]
    if row is not None and row.end_at is not None:
        at = f"{shown_moment(row.end_at)}, {relative(row.end_at, case.now)}"
        level = "cause" if row.end_at <= case.now else "note"
        evidence.append(Evidence(level, "End date here", at if level == "cause" else f"{at}: typed too late"))
    return Diagnosis(
        "secret-expired-there",
        f"No token: {case.credential_name} has expired",
        "The directory knows the value, and its end date has passed.",
        [
            Step(
                "Make a new secret in the Microsoft Entra admin center",
                "Both may live side by side until the change is done.",
            ),
            _paste(case),
            run_again(case, "With the new one."),
        ],
        evidence,
    )


def key_not_there(case: Case) -> Diagnosis | None:
    """700027: the directory has no such certificate for this client, or it has ended."""
    row = case.certificate
    if case.code != BAD_KEY or row is None:
        return None
    expired = row.end_at <= case.now
    evidence = [Evidence("cause", "Thumbprint sent", f"{case.thumbprint}, of {case.credential_name}")]
    if expired:
        evidence.append(
            Evidence("cause", "End date", f"{shown_moment(row.end_at)}, {relative(row.end_at, case.now)}")
        )
    return Diagnosis(
        "certificate-expired" if expired else "certificate-not-there",
        f"No token: {case.credential_name} has expired"
        if expired
        else "No token: the directory does not have this certificate, or not its key",
        "The directory finds a certificate by the thumbprint in the assertion, and checks the signature "
        "with it.",
        [
            Step(
                "Upload the certificate in the Microsoft Entra admin center",
                "Certificates & secrets, Certificates, Upload certificate. Its file can be downloaded here.",
                "portal:certificate",
                {**case.owner_page, "certificate_id": str(case.credential_id)},
                "Certificate",
                copy=case.thumbprint,
                copy_label="Copy thumbprint",
            ),
            run_again(case, "It may take a moment to count."),
        ],
        evidence,
        [case.thumbprint],
    )


RULES: list[Rule] = [wrong_secret, expired_secret, key_not_there]


def _paste(case: Case) -> Step:
    return Step(
        "Keep the new value here",
        "As an existing client secret, with its end date.",
        "portal:secret_new",
        case.owner_page,
        "New client secret",
    )


def _shape_of(case: Case) -> list[Evidence]:
    """What a value's form tells: made here, or damaged on its way from Entra."""
    value = case.presented
    if not value or is_guid(value):
        return []
    if checksum_holds(value):
        return [Evidence("cause", "Form of the value", "Made by this portal, for its built-in authority")]
    if not _MARK.match(value.strip()):
        return [Evidence("note", "Form of the value", "Not that of the values that Entra makes today")]
    if len(value.strip()) == VALUE_CHARACTERS:
        return [Evidence("note", "Form of the value", "As Entra makes them, and complete")]
    return [
        Evidence(
            "cause",
            "Form of the value",
            f"Begins as Entra makes them, and has {len(value.strip())} characters, not {VALUE_CHARACTERS}",
        )
    ]
