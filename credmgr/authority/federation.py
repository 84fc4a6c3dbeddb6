"""Federated assertions: the token of an outside issuer in place of a credential of our own (RFC 7523
section 3; Microsoft identity platform, "workload identity federation").

First what the application trusts is compared (F-1), then the issuer's keys are fetched (F-2), so that nobody
can make this server call an address that no application names.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.views.decorators.debug import sensitive_variables

from credmgr.audit.token_database import Statement, to_uuid
from credmgr.authority.assertions import FederatedAssertion, check_times, unreadable
from credmgr.authority.issuer_keys import IssuerError, issuer_keys
from credmgr.authority.own_keys import own_key_set
from credmgr.authority.refusals import RefusalError
from credmgr.credentials.federated_matching import match_federated
from credmgr.credentials.models import FederatedCredential
from credmgr.jose import jws
from credmgr.jose.claims import text_claim, time_window
from credmgr.jose.errors import AlgorithmError, JoseError, KeyFormatError, SignatureError, UnknownKeyError
from credmgr.jose.jwk import find_key

# What outside issuers sign with; PS256 is for certificates.
ALGORITHMS = ("RS256", "ES256", "ES384", "ES512")
_OF_APPLICATION = Statement(
    f"SELECT id, issuer, subject, audience "  # noqa: S608 - the model's own name
    f'FROM "{FederatedCredential._meta.db_table}" WHERE application_id = %(application)s'
)


@dataclass(frozen=True, slots=True)
class StoredFederatedCredential:
    """The part of a federated credential that matching needs."""

    id: uuid.UUID
    issuer: str
    subject: str
    audience: str


def credentials_of(application_id: uuid.UUID) -> list[StoredFederatedCredential]:
    """What the application trusts at this moment: one statement, 20 rows at most, nothing remembered."""
    rows = _OF_APPLICATION.run({"application": application_id})
    return [
        StoredFederatedCredential(to_uuid(id_), issuer, subject, audience)
        for id_, issuer, subject, audience in rows
    ]


@sensitive_variables("assertion")
def match_assertion(
    assertion: FederatedAssertion, credentials: Sequence[StoredFederatedCredential], client_id: str
) -> StoredFederatedCredential:
    """The credential with the assertion's issuer, audience and subject, to the letter. Nothing is proven yet.

    Raises RefusalError 70025, 700211, 700212, 700213, 7002138 in this order; 50027 for a claim of another
    type when its turn comes.
    """
    issuer = assertion.issuer
    if not credentials:
        raise RefusalError(70025, client_id=client_id, issuer=issuer)
    of_issuer = [row for row in credentials if row.issuer == issuer]
    if not of_issuer:
        raise RefusalError(700211, client_id=client_id, issuer=issuer)
    audience = _audience(assertion)
    if match_federated(of_issuer, issuer=issuer, audience=audience, subject="").kind == "audience":
        raise RefusalError(700212, client_id=client_id, issuer=issuer, audience=audience)
    try:
        subject = text_claim(assertion.token.claims, "sub")
    except JoseError as error:
        raise unreadable(str(error).removesuffix(".")) from None
    found = match_federated(of_issuer, issuer=issuer, audience=audience, subject=subject)
    if found.credential is None:
        code = 7002138 if found.kind == "subject-case" else 700213
        raise RefusalError(code, client_id=client_id, issuer=issuer, subject=subject)
    return found.credential


@sensitive_variables("assertion", "token")
def verify_federated(
    assertion: FederatedAssertion, *, client_id: str, now: datetime, judged_at: datetime
) -> None:
    """Check a matched assertion by the keys that its issuer publishes. now: aware UTC; judged_at: what the
    directory's clock says, another time only in a test directory.

    Raises RefusalError 50027 (before any key is looked up, A-7), 50166, 700024, 700027 in this order.
    """
    token, issuer = assertion.token, assertion.issuer
    try:
        jws.require_algorithm(token, ALGORITHMS)
        kid = _kid(token)
        times = time_window(token.claims)
    except JoseError as error:
        raise unreadable(str(error).removesuffix(".")) from None
    key, unknown = None, ""
    try:
        own = own_key_set(issuer, now)
        key = issuer_keys.find(issuer, kid, now) if own is None else find_key(own, kid)
    except IssuerError as error:
        raise RefusalError(50166, issuer=issuer, reason=error) from None
    except UnknownKeyError:
        unknown = "The issuer's key set has no key of the id in the assertion's header"
    except KeyFormatError as error:
        raise RefusalError(50166, issuer=issuer, reason=str(error).removesuffix(".")) from None
    check_times(times, judged_at)
    if key is None:
        raise _signature_trouble(unknown, client_id, issuer)
    try:
        jws.verify(token, key, algorithms=ALGORITHMS)
    except SignatureError:
        reason = "The signature does not match the issuer's key of that id"
        raise _signature_trouble(reason, client_id, issuer) from None
    except AlgorithmError:
        reason = "The algorithm does not go with the issuer's key of that id"
        raise _signature_trouble(reason, client_id, issuer) from None


def _audience(assertion: FederatedAssertion) -> str:
    """A text, or a list of one (F-1)."""
    claim = assertion.token.claims.get("aud")
    if isinstance(claim, list) and len(claim) == 1:
        claim = claim[0]
    if not isinstance(claim, str) or not claim:
        raise unreadable("The audience 'aud' must be one text, or a list of one")
    return claim


def _kid(token: jws.UnverifiedToken) -> str:
    kid = token.header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise unreadable("The header has no 'kid' that names the issuer's key")
    return kid


def _signature_trouble(reason: str, client_id: str, issuer: str) -> RefusalError:
    return RefusalError(700027, of_issuer=True, client_id=client_id, reason=reason, issuer=issuer)
