"""What is to be said about an upload before anything is stored (P1): must fix, check, know, fine.

examine never raises for what a file holds: every refusal becomes a finding. certificates.add_certificate
stores what an examination without a must-fix has found.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from credmgr.credentials import file_kinds, x509
from credmgr.credentials.errors import CertificateError
from credmgr.credentials.key_files import OpenedFile, OpenedKey, open_bundle, refusal
from credmgr.credentials.lifecycle import counted, day, days_between, moment, soon_until
from credmgr.credentials.models import Certificate
from credmgr.credentials.x509 import ParsedCertificate
from credmgr.credentials.x509_keys import EC
from credmgr.registrations.models import Application

MUST_FIX, CHECK, KNOW, FINE = "must-fix", "check", "know", "fine"
LEVELS = (MUST_FIX, CHECK, KNOW, FINE)
DUPLICATE = "This certificate is already on this application."
NOT_ITS_KEY = (
    "The key does not belong to this certificate. Export the pair again from the same place, or choose "
    "the key file that the certificate was made from."
)
NO_KEY = (
    "There is no private key in what you chose. Choose the key file, or untick Keep the private key to "
    "store the certificate alone."
)
NO_CERTIFICATE = (
    "This file holds a private key but no certificate. Choose the certificate here, and this file as the "
    "key file."
)
# Above this many days of validity, about 24 months, a certificate is called long-lived.
LONG_DAYS = 732
_WEAK_HASHES = ("MD5", "SHA-1")
_NAMED_MOST = 3


@dataclass(frozen=True)
class Finding:
    """level: must-fix, check, know, fine. heading: what was found; advice: what to do, "" when nothing.

    code: stable name. field: certificate_file, key_file or password for a must-fix, else None.
    """

    level: str
    heading: str
    advice: str
    code: str
    field: str | None = None


@dataclass(frozen=True)
class Examination:
    """The outcome, worst findings first. parsed: None when no certificate could be read.

    private_key_pem: the key to keep, PKCS #8 without a password; None when it is not to be kept.
    """

    findings: list[Finding]
    parsed: ParsedCertificate | None
    private_key_pem: bytes | None = field(default=None, repr=False)

    @property
    def blocks(self) -> bool:
        """Whether nothing may be stored."""
        return any(finding.level == MUST_FIX for finding in self.findings)


@sensitive_variables("certificate_file", "key_file", "password", "key", "pair")
def examine(
    application: Application,
    *,
    certificate_file: bytes,
    keep_private_key: bool,
    key_file: bytes | None = None,
    password: str = "",
    now: datetime,
) -> Examination:
    """Judge an upload.

    Without keep_private_key: exactly one certificate, and any private key is refused (U-4).

    With it: the certificate may come with its key in one PEM or PKCS #12 file, or the key in key_file; the
    leaf that matches the key is taken, other certificates are left out and named. Key files are opened in a
    child process.
    """
    key: OpenedKey | None = None
    left_out: list[str] = []
    try:
        if keep_private_key:
            pair = _pair(certificate_file, key_file, password)
            parsed, key, left_out = pair.parsed, pair.key, pair.left_out
        else:
            parsed = x509.read_certificate(certificate_file)
    except CertificateError as error:
        return Examination([finding_of(error)], None)
    found = [
        *_obstacles(application, parsed, now),
        *_about_other_applications(application, parsed),
        *_about_time(parsed, now),
        *_about_key_type(parsed),
        *_about_left_out(left_out),
        *_good_to_know(parsed),
        *_fine(parsed, key, now),
    ]
    return Examination(
        sorted(found, key=lambda each: LEVELS.index(each.level)), parsed, key.pem if key else None
    )


def finding_of(error: CertificateError) -> Finding:
    """A refusal as a finding: its first sentence says what was found, the others what to do."""
    heading, stop, advice = error.message.partition(". ")
    return Finding(MUST_FIX, heading + (stop and "."), advice, error.code, error.field)


def check_room(application: Application, parsed: ParsedCertificate) -> None:
    """Refuse a certificate that the application has already, and one too many. Raises CertificateError."""
    rows = Certificate.objects.filter(application=application)
    if rows.filter(thumbprint_sha256=parsed.thumbprint_sha256).exists():
        raise CertificateError("duplicate_certificate", DUPLICATE, field="certificate_file")
    limit = settings.CERTIFICATES_PER_APPLICATION
    if rows.count() >= limit:
        raise CertificateError(
            "too_many_certificates",
            f"This application already has {counted(limit, 'certificate')}, the most it can have. "
            "Remove one first.",
        )


@dataclass(frozen=True)
class _Pair:
    """A certificate, its private key, and the names of the certificates that were left out."""

    parsed: ParsedCertificate
    key: OpenedKey = field(repr=False)
    left_out: list[str]


@sensitive_variables("key_file", "password", "main", "other", "keys")
def _pair(certificate_file: bytes, key_file: bytes | None, password: str) -> _Pair:
    """The certificate to keep with its key, wherever in the two files they are. Raises CertificateError."""
    x509.check_size(certificate_file)
    main = _contents(certificate_file, password)
    is_other = bool(key_file) and key_file != certificate_file
    other = open_bundle(key_file, password) if key_file and is_other else OpenedFile([], [])
    keys = other.keys or main.keys
    if not main.certificates and not other.certificates:
        raise CertificateError("certificate_missing", NO_CERTIFICATE, field="certificate_file")
    if not keys:
        raise refusal("no_key") if is_other else CertificateError("key_missing", NO_KEY, field="key_file")
    return _matched(main.certificates or other.certificates, main.certificates + other.certificates, keys)


def _contents(certificate_file: bytes, password: str) -> OpenedFile:
    if file_kinds.find_private_key(certificate_file) or file_kinds.is_pkcs12(certificate_file):
        return open_bundle(certificate_file, password, about="certificate_file")
    return OpenedFile([], x509.certificate_ders(certificate_file))


def _matched(candidates: list[bytes], everything: list[bytes], keys: list[OpenedKey]) -> _Pair:
    """The candidate that a key belongs to; the one that ends last when there are several."""
    by_public_key = {key.public_key: key for key in keys}
    parsed: list[ParsedCertificate] = []
    faults: list[CertificateError] = []
    for der in candidates:
        try:
            parsed.append(x509.parse_certificate(der))
        except CertificateError as error:  # a weak CA beside a good leaf is no reason to refuse the leaf
            faults.append(error)
    matching = [each for each in parsed if each.public_key in by_public_key]
    if not matching:
        raise faults[0] if faults else CertificateError("key_mismatch", NOT_ITS_KEY, field="key_file")
    leaf = max(matching, key=lambda each: each.end_at)
    left_out = [_name_of(der) for der in dict.fromkeys(everything) if der != leaf.der]
    return _Pair(leaf, by_public_key[leaf.public_key], left_out)


def _name_of(der: bytes) -> str:
    try:
        return x509.parse_certificate(der).shown_subject
    except CertificateError:
        return "one that cannot be used"


def _obstacles(application: Application, parsed: ParsedCertificate, now: datetime) -> Iterator[Finding]:
    try:
        x509.check_in_date(parsed, now)
    except CertificateError as error:
        yield finding_of(error)
    try:
        check_room(application, parsed)
    except CertificateError as error:
        yield finding_of(error)


def _about_other_applications(application: Application, parsed: ParsedCertificate) -> Iterator[Finding]:
    holders = list(
        Application.objects.filter(
            tenant_id=application.tenant_id,
            deleted_at=None,
            certificates__thumbprint_sha256=parsed.thumbprint_sha256,
        )
        .exclude(pk=application.pk)
        .order_by("display_name")
        .values_list("display_name", flat=True)
    )
    if holders:
        verb = "holds" if len(holders) == 1 else "hold"
        yield Finding(
            CHECK,
            f"{_named(holders)} {verb} the same certificate.",
            f"One private key for {counted(len(holders) + 1, 'application')}: if it leaks, all are open. "
            "Create a pair of its own for this one.",
            "shared_certificate",
        )


def _about_time(parsed: ParsedCertificate, now: datetime) -> Iterator[Finding]:
    if parsed.start_at > now:
        yield Finding(
            CHECK,
            f"Not valid until {day(parsed.start_at)}.",
            "Sign-ins with it are refused before that. Keep another credential in use until then.",
            "not_yet_valid",
        )
    if now < parsed.end_at < soon_until(now):
        left = counted(days_between(now, parsed.end_at), "day")
        yield Finding(
            CHECK,
            f"Only {left} left.",
            f"It ends on {day(parsed.end_at)}. Upload its successor before that.",
            "ends_soon",
        )
    if days_between(parsed.start_at, parsed.end_at) > LONG_DAYS:
        yield Finding(
            KNOW,
            f"Valid for {counted(days_between(parsed.start_at, parsed.end_at), 'day')}.",
            "The longer a key lives, the longer a leaked copy works. One year or less is the usual advice.",
            "long_lived",
        )


def _about_key_type(parsed: ParsedCertificate) -> Iterator[Finding]:
    if parsed.key_type == EC:
        yield Finding(
            CHECK,
            "EC key: MSAL for Python cannot sign with it.",
            "Use an RSA key for clients built on MSAL. Others sign with ES256, ES384 or ES512.",
            "ec_key",
        )
    else:
        yield Finding(FINE, "MSAL can sign with it (PS256 and RS256).", "", "msal_can_sign")


def _good_to_know(parsed: ParsedCertificate) -> Iterator[Finding]:
    if parsed.signature_algorithm.startswith(_WEAK_HASHES):
        yield Finding(
            KNOW,
            f"Signed by its issuer with {parsed.signature_algorithm}.",
            "Nothing to do: trust comes from this upload, not from that signature. Others may refuse it.",
            "weak_signature_hash",
        )
    if parsed.version == 1:
        yield Finding(
            KNOW,
            "X.509 version 1: it has no extensions.",
            "Nothing to do: sign-ins need none. openssl x509 -req makes such certificates.",
            "version_1",
        )


def _about_left_out(left_out: list[str]) -> Iterator[Finding]:
    if left_out:
        it = "It is" if len(left_out) == 1 else "They are"
        yield Finding(
            KNOW,
            f"The files also hold {counted(len(left_out), 'other certificate')}: {_named(left_out)}.",
            f"{it} left out. Only the certificate that belongs to the key is added.",
            "others_left_out",
        )


def _fine(parsed: ParsedCertificate, key: OpenedKey | None, now: datetime) -> Iterator[Finding]:
    if key is not None:
        yield Finding(
            FINE,
            "Certificate and private key belong together.",
            "Their public keys are the same.",
            "key_belongs",
        )
    if parsed.start_at <= now < parsed.end_at:
        left = days_between(now, parsed.end_at)
        yield Finding(
            FINE,
            f"Valid now, {counted(left, 'day')} left.",
            f"{moment(parsed.start_at)} to {moment(parsed.end_at)}. "
            f"{parsed.key_name}, signed with {parsed.signature_algorithm}.",
            "valid_now",
        )
    yield Finding(
        FINE,
        "Right kind of file.",
        "A certificate for signing, not a certificate request and not a bare key.",
        "right_kind",
    )


def _named(names: list[str]) -> str:
    """ "A", "A and B", "A, B, C and 4 more"."""
    shown = names[:_NAMED_MOST]
    rest = len(names) - len(shown)
    tail = f"{rest} more" if rest else (shown.pop() if len(shown) > 1 else "")
    return ", ".join(shown) + (f" and {tail}" if tail else "")
