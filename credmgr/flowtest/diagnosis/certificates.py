"""Rules about certificates and assertions: AADSTS700027 and 700024 against what is stored."""

import re

from credmgr.credentials.models import Certificate
from credmgr.credentials.x509_keys import RSA
from credmgr.flowtest.diagnosis.case import SKEW, Case, Rule, run_again, upload
from credmgr.flowtest.inspection import relative, shown_moment
from credmgr.flowtest.report import Diagnosis, Evidence, Step

BAD_KEY = 700027
BAD_TIME = 700024
_HEX = re.compile(r"'([0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})'")


def key_of_another_certificate(case: Case) -> Diagnosis | None:
    """The private key and the certificate are no pair.

    Known before sending; sent all the same to show the wire.
    """
    if case.key_matches is not False:
        return None
    return Diagnosis(
        "key-mismatch",
        "No token: the key does not belong to this certificate",
        "The assertion was signed with a private key that is not the other half of the stored certificate.",
        [
            Step(
                "Take the matching key file",
                "With the three openssl commands it is the server.pem that server.crt was made from.",
            ),
            upload(case, "Or upload the certificate that belongs to this key."),
            run_again(case),
        ],
        [
            Evidence("cause", "Private key and certificate", "Do not belong together"),
            Evidence("fine", "Thumbprint sent", f"{case.thumbprint}, of {case.credential_name}"),
        ],
    )


def certificate_not_here(case: Case) -> Diagnosis | None:
    """The thumbprint is not on this application: deleted, and perhaps on another one."""
    if case.code != BAD_KEY or case.is_secret or case.credential is not None:
        return None
    named = _HEX.search(case.description)
    thumbprint = named[1].upper() if named else case.thumbprint
    column = "thumbprint_sha1" if len(thumbprint) == 40 else "thumbprint_sha256"
    elsewhere = (
        Certificate.objects.filter(**{column: thumbprint})
        .exclude(application_id=case.application_id)
        .select_related("application")
        .first()
    )
    if elsewhere is None:
        return Diagnosis(
            "certificate-deleted",
            f"No token: {case.credential_name} is no longer on this application",
            "The authority does not know its thumbprint any more.",
            [upload(case, "The same file may be uploaded again."), run_again(case)],
            [
                Evidence("cause", "Thumbprint sent", f"{thumbprint} is on no application of this directory"),
                Evidence("cause", "This certificate", "Deleted from this application"),
            ],
            [thumbprint],
        )
    other = elsewhere.application
    return Diagnosis(
        "certificate-of-another-application",
        "No token: the certificate belongs to another application",
        f"Its thumbprint is registered on {other.display_name}, not on this application.",
        [
            upload(case, "One certificate may be on several applications, where that is wanted."),
            Step(
                f"Or test it on {other.display_name}",
                "Use that application's client ID where this certificate is configured.",
                "portal:certificates",
                {"application_id": str(other.pk)},
                f"Certificates of {other.display_name}",
            ),
            run_again(case),
        ],
        [
            Evidence("cause", "Thumbprint sent", f"{thumbprint} is on {other.display_name}"),
            Evidence("cause", "This application", "Does not have it"),
        ],
        [thumbprint],
    )


def certificate_dates(case: Case) -> Diagnosis | None:
    """Expired, or not valid yet."""
    row = case.certificate
    if case.code != BAD_KEY or row is None or row.start_at <= case.now < row.end_at:
        return None
    early = case.now < row.start_at
    at = row.start_at if early else row.end_at
    when = f"{shown_moment(at)}, {relative(at, case.now)}"
    return Diagnosis(
        "certificate-not-yet-valid" if early else "certificate-expired",
        f"No token: {case.credential_name} {'is not valid yet' if early else 'has expired'}",
        f"The certificate {'starts' if early else 'ended'} on {when}.",
        [
            Step("Wait for the start date", f"{shown_moment(at)}.")
            if early
            else Step(
                "Make a new certificate",
                "openssl x509 -req -days 365 -in server.csr -signkey server.pem -out server.crt renews it "
                "with the same key.",
            ),
            upload(case, "Both may be registered side by side until the change is done."),
            run_again(case),
        ],
        [Evidence("cause", "Start date" if early else "End date", when)],
    )


def clock_off(case: Case) -> Diagnosis | None:
    """The assertion's times do not fit the authority's clock."""
    skew = case.result.clock_skew_seconds
    if case.code != BAD_TIME or skew is None:
        return None
    off = abs(skew) > SKEW.total_seconds()
    words = f"{abs(skew):,.0f} s {'ahead of' if skew > 0 else 'behind'} this server's"
    return Diagnosis(
        "clock-off" if off else "assertion-time",
        "No token: the clocks differ by more than 5 minutes"
        if off
        else "No token: the assertion is outside its times",
        f"The authority's clock is {words}. An assertion is accepted from its nbf to its exp, with 5 "
        "minutes' tolerance.",
        [
            Step("Set the clock", "Let both machines take their time from the network (NTP), in UTC."),
            run_again(case, "Each run makes a fresh assertion."),
        ],
        [Evidence("cause", "Clock of the authority", f"The authority's is {words}, 5 minutes allowed")],
    )


def key_kind(case: Case) -> Diagnosis | None:
    """Microsoft's clouds take RSA keys only."""
    row = case.certificate
    if case.result.failure != "no-way" or row is None or row.key_type == RSA:
        return None
    return Diagnosis(
        "key-type",
        f"Not sent: Microsoft Entra ID takes no assertion signed with an {row.key_type} key",
        "The certificate may be used elsewhere. Microsoft's clouds and Microsoft's own client libraries know "
        "RSA signatures only.",
        [
            Step("Make a certificate with an RSA key", "openssl genrsa -out server.pem 2048 starts one."),
            upload(case, "It may live beside the present one."),
        ],
        [Evidence("cause", "Key type", f"{row.key_type}, {row.key_size} bits")],
    )


RULES: list[Rule] = [
    key_of_another_certificate,
    certificate_not_here,
    certificate_dates,
    clock_off,
]
