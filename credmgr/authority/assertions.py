"""Client assertions: private_key_jwt by an uploaded certificate (RFC 7521, RFC 7523 section 3; Microsoft
identity platform, "certificate credentials").

Reading checks every type first; verifying follows the order of ruling W3. Raises RefusalError only,
whatever is sent.
"""

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from credmgr.authority.directory import StoredCertificate
from credmgr.authority.refusals import RefusalError
from credmgr.credentials.models import Certificate
from credmgr.jose import jws
from credmgr.jose.claims import TimeWindow, text_claim, time_window
from credmgr.jose.encoding import base64url_decode
from credmgr.jose.errors import JoseError, SignatureError, TokenTimeError
from credmgr.jose.jwk import PublicKey, certificate_key
from credmgr.vault.sealing import open_from

JTI_MAX_CHARACTERS = 255
_HEX_THUMBPRINT = re.compile(r"[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}", re.ASCII)
_SHA1_BYTES, _SHA256_BYTES = 20, 32


@dataclass(frozen=True, slots=True)
class Thumbprint:
    """What names the key: upper-case hex. also_sha1: a second one that must fit the same certificate."""

    hex: str
    is_sha256: bool
    also_sha1: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ClientAssertion:
    """An assertion of the right form. Nothing in it is proven before `verify_assertion`."""

    token: jws.UnverifiedToken
    thumbprint: Thumbprint
    times: TimeWindow
    audience: str
    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class FederatedAssertion:
    """An assertion of another identity provider, told by its issuer (W3). Nothing else is judged yet."""

    token: jws.UnverifiedToken
    issuer: str


@sensitive_variables()
def read_assertion(text: str) -> ClientAssertion | FederatedAssertion:
    """Shape, types and algorithm (AADSTS50027), before any key is looked up (A-7, A-10)."""
    try:
        token = jws.UnverifiedToken.parse(text)
        issuer = token.claims.get("iss")
        # No credential can name another kind of issuer: the acts refuse it.
        if isinstance(issuer, str) and issuer.startswith(("https://", "http://")):
            return FederatedAssertion(token, issuer)
        jws.require_algorithm(token, jws.ALGORITHMS)
        thumbprint = _thumbprint(token.header)
        times = time_window(token.claims)
        if isinstance(token.claims.get("aud"), list):
            raise unreadable("The audience 'aud' must be one text, not a list")
        audience, issuer, subject = (text_claim(token.claims, name) for name in ("aud", "iss", "sub"))
        _check_type(token.claims, "jti")
    except JoseError as error:
        raise unreadable(str(error).removesuffix(".")) from None
    return ClientAssertion(token, thumbprint, times, audience, issuer, subject)


def verify_assertion(
    assertion: ClientAssertion,
    certificates: Sequence[StoredCertificate],
    *,
    client_id: str,
    is_our_audience: Callable[[str], bool],
    expected_audience: str,
    now: datetime,
) -> StoredCertificate:
    """The certificate that proves the client. certificates: those of the client with the assertion's
    thumbprint.

    Raises RefusalError 700027, 700024, 700023, 700021, 50027 in this order, and VaultError.
    """
    found = _find(assertion, certificates, client_id)
    _check_dates(assertion, found, client_id, now)
    _check_signature(assertion, found, client_id)
    check_times(assertion.times, now)
    if not is_our_audience(assertion.audience):
        raise RefusalError(700023, audience=assertion.audience, expected=expected_audience)
    for claim, presented in (("iss", assertion.issuer), ("sub", assertion.subject)):
        if presented.lower() != client_id.lower():
            raise RefusalError(700021, client_id=client_id, claim=claim, presented=presented)
    if "jti" not in assertion.token.claims:
        raise unreadable("The claim 'jti' is missing")
    return found


def _thumbprint(header: dict[str, Any]) -> Thumbprint:
    """x5t#S256, else x5t, else kid; with both thumbprints both must fit (A-8)."""
    sha256 = _decoded(header, "x5t#S256")
    sha1 = _decoded(header, "x5t")
    if sha256:
        return Thumbprint(sha256.hex().upper(), True, also_sha1=sha1.hex().upper())
    if sha1:
        note = "; 'x5t' holds a SHA-256 value, it takes SHA-1" if len(sha1) == _SHA256_BYTES else ""
        return Thumbprint(sha1.hex().upper(), False, note=note)
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise unreadable("The header has none of 'x5t', 'x5t#S256' and 'kid'")
    if _HEX_THUMBPRINT.fullmatch(kid):
        return Thumbprint(kid.upper(), len(kid) == 2 * _SHA256_BYTES)
    raw = base64url_decode(kid)
    if len(raw) not in (_SHA1_BYTES, _SHA256_BYTES):
        raise unreadable("The header's 'kid' is not a thumbprint")
    return Thumbprint(raw.hex().upper(), len(raw) == _SHA256_BYTES)


def _decoded(header: dict[str, Any], name: str) -> bytes:
    """A thumbprint header's bytes, padding allowed; empty when absent."""
    if name not in header:
        return b""
    value = header[name]
    raw = base64url_decode(value) if isinstance(value, str) else b""
    if not 1 <= len(raw) <= 64:
        raise unreadable(f"The header's '{name}' is not a thumbprint")
    return raw


def _check_type(claims: dict[str, Any], name: str) -> None:
    if name in claims and not 1 <= len(text_claim(claims, name)) <= JTI_MAX_CHARACTERS:
        raise unreadable(f"The claim '{name}' is longer than {JTI_MAX_CHARACTERS} characters")


def _find(
    assertion: ClientAssertion, certificates: Sequence[StoredCertificate], client_id: str
) -> StoredCertificate:
    wanted = assertion.thumbprint
    for row in certificates:
        own = row.thumbprint_sha256 if wanted.is_sha256 else row.thumbprint_sha1
        if own == wanted.hex and wanted.also_sha1 in ("", row.thumbprint_sha1):
            return row
    raise _key_trouble(f"The key was not found{wanted.note}", assertion, client_id)


def _check_dates(assertion: ClientAssertion, found: StoredCertificate, client_id: str, now: datetime) -> None:
    if found.start_at <= now < found.end_at:
        return
    reason = "The key used is expired" if now >= found.end_at else "The key used is not valid yet"
    dates = f", Found key 'Start={_stamp(found.start_at)}, End={_stamp(found.end_at)}'"
    raise _key_trouble(reason, assertion, client_id, found=dates)


@sensitive_variables()
def _check_signature(assertion: ClientAssertion, found: StoredCertificate, client_id: str) -> None:
    key = _opened_key(found.id, found.der)
    try:
        jws.verify(assertion.token, key, algorithms=jws.ALGORITHMS)
    except SignatureError:
        reason = "The signature does not match the key that was found"
        raise _key_trouble(reason, assertion, client_id) from None
    except JoseError:
        reason = "The algorithm does not go with the key that was found"
        raise _key_trouble(reason, assertion, client_id) from None


@lru_cache(maxsize=256)
def _opened_key(certificate_id: uuid.UUID, sealed: bytes) -> PublicKey:
    """The public key of a sealed certificate that was just read from its row. Raises VaultError.

    Remembered by the sealed bytes themselves: a row that is gone or changed is not found here.
    """
    return certificate_key(open_from(Certificate(id=certificate_id, der=sealed), "der"))


def check_times(times: TimeWindow, now: datetime) -> None:
    """Refuse one that is over, not begun, or ends too far ahead (A-10). Raises RefusalError 700024."""
    try:
        times.check(now, skew=settings.CLOCK_SKEW_SECONDS, ahead=settings.ASSERTION_MAX_AGE_SECONDS)
    except TokenTimeError as error:
        hints = {
            "too-long": f" An assertion may live {settings.ASSERTION_MAX_AGE_SECONDS} seconds at most.",
            "too-early": " Check the clock of the client.",
        }
        start = times.not_before if times.not_before is not None else 0
        raise RefusalError(
            700024,
            now=_stamp(now),
            start=_shown_seconds(start),
            end=_shown_seconds(times.expires),
            hint=hints.get(error.reason, ""),
        ) from None


def _key_trouble(reason: str, assertion: ClientAssertion, client_id: str, found: str = "") -> RefusalError:
    thumbprint = assertion.thumbprint.hex
    return RefusalError(700027, client_id=client_id, reason=reason, thumbprint=thumbprint, found=found)


def unreadable(reason: str) -> RefusalError:
    """AADSTS50027 with its reason: a sentence of ours without its full stop, never what was sent."""
    return RefusalError(50027, reason=reason)


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _shown_seconds(seconds: float) -> str:
    """A time in UTC, or the bare number where no calendar has it (milliseconds sent as seconds)."""
    try:
        return _stamp(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return f"{seconds:.0f}"
