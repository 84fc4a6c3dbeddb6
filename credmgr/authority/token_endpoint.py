"""POST /{tenant}/oauth2/v2.0/token and /{tenant}/oauth2/token: the client credentials grant (RFC 6749
section 4.4), checks in the order of W1. The two differ in how a resource is named (scope; resource) and in
the success body; the token itself follows the resource.

The sign-in record is committed before the answer is made; if it cannot be written, there is no token.
"""

from contextlib import nullcontext

from django.http import HttpRequest

from credmgr import measures
from credmgr.audit.sign_ins import (
    CERTIFICATE,
    CLIENT_ASSERTION,
    CLIENT_SECRET,
    FEDERATED_CREDENTIAL,
    SignInRecord,
    record_sign_in,
    refusals_without_row,
)
from credmgr.audit.turns import Turn, turns_of_process
from credmgr.authority import throttling
from credmgr.authority.assertions import (
    ClientAssertion,
    FederatedAssertion,
    read_assertion,
)
from credmgr.authority.attempt import Attempt
from credmgr.authority.directory import Question, concrete_tenant_key, look_up
from credmgr.authority.exchange import Exchange
from credmgr.authority.refusals import RefusalError, shown
from credmgr.authority.responses import Answer, error_response, token_response, token_response_v1
from credmgr.authority.switches import switches_for
from credmgr.authority.token_request import TokenRequest, read_token_request, uses_basic
from credmgr.authority.waiting import hold
from credmgr.registrations.queries import parse_guid

# What they are counted under in measures.
TOKEN_REQUESTS = "token-requests"  # noqa: S105 - a name, not a password


def answer_token_request_v1(request: HttpRequest, tenant: str, exchange: Exchange) -> Answer:
    """As answer_token_request, at the v1.0 endpoint."""
    return answer_token_request(request, tenant, exchange, version=1)


def answer_token_request(
    request: HttpRequest, tenant: str, exchange: Exchange, *, version: int = 2
) -> Answer:
    """A token or a refusal, both on record. Raises django.db.Error and VaultError: then the gate
    answers 503. version: of the endpoint, not of the token.
    """
    try:
        throttling.count_request(exchange.address, exchange.now)
        asked = read_token_request(request)
        assertion, unreadable = _assertion(asked)
        # An outside issuer may have to be asked for its keys: nobody waits for that.
        with nullcontext() if isinstance(assertion, FederatedAssertion) else Turn(turns_of_process()):
            attempt = _attempt(asked, assertion, unreadable, tenant, exchange, version)
            answer = _answer(request, attempt, exchange)
    except RefusalError as refusal:
        # No directory, no client: a flood of these must not fill the disk.
        refusals_without_row.note(refusal.code, exchange.address)
        count_answer(refusal.code)
        return error_response(refusal, exchange, basic=uses_basic(request))
    count_answer(attempt.record.error_code)  # committed by now
    if attempt.switches is not None and attempt.switches.delay:
        hold(attempt.switches.delay)
    return answer


def count_answer(code: int) -> None:
    """One more token request that ended so: 0, or the AADSTS number."""
    measures.count(TOKEN_REQUESTS, str(code))


def _answer(request: HttpRequest, attempt: Attempt, exchange: Exchange) -> Answer:
    """Run it and put it on record, or into the group that is committed when the turn ends."""
    try:
        token = attempt.run()
        attempt.commit()
    except RefusalError as refusal:
        attempt.record.error_code, attempt.record.token_id = refusal.code, ""
        record_sign_in(attempt.record, fold=_fold(attempt, refusal))
        return error_response(refusal, exchange, basic=uses_basic(request))
    if attempt.version == 1:
        resource = attempt.asked.resource
        return token_response_v1(token, validity=attempt.validity, resource=resource, exchange=exchange)
    return token_response(token, lifetime=attempt.validity.lifetime, exchange=exchange)


def _fold(attempt: Attempt, refusal: RefusalError) -> str:
    """Alike refusals that strangers can cause without end are counted in one row a minute."""
    record = attempt.record
    if attempt.findings.client is None:
        if refusal.code == 700038:
            return f"{record.tenant_id}:{record.address}:{record.test_switches}"
        if throttling.are_many_unknown(record.address, record.at):
            record.client_id = "(various)"
    elif refusal.status != 429:
        return ""
    return f"{record.tenant_id}:{record.client_id}:{record.address}:{record.test_switches}"


def _assertion(
    asked: TokenRequest,
) -> tuple[ClientAssertion | FederatedAssertion | None, RefusalError | None]:
    """The assertion, if one was sent, or why it cannot be read: that counts once the client is known."""
    if not asked.assertion:
        return None, None
    try:
        return read_assertion(asked.assertion), None
    except RefusalError as refusal:
        return None, refusal


def _attempt(
    asked: TokenRequest,
    assertion: ClientAssertion | FederatedAssertion | None,
    unreadable: RefusalError | None,
    tenant: str,
    exchange: Exchange,
    version: int,
) -> Attempt:
    """The request with its directory found. The assertion is judged later."""
    key = concrete_tenant_key(tenant)
    counter = throttling.wrong_secret_counter(asked.client_id, exchange.address)
    thumbprint = assertion.thumbprint if isinstance(assertion, ClientAssertion) else None
    client_id = parse_guid(asked.client_id)
    findings = look_up(
        Question(
            tenant=key,
            client_id=client_id,
            now=exchange.now,
            counter=counter,
            window=throttling.window_of(exchange.now),
            thumbprint=thumbprint.hex if thumbprint else "",
            is_sha256=bool(thumbprint and thumbprint.is_sha256),
        )
    )
    if findings is None:
        raise RefusalError(90002, tenant=tenant)
    record = SignInRecord(
        at=exchange.now,
        trace_id=exchange.trace_id,
        correlation_id=exchange.correlation_id,
        tenant_id=findings.tenant_id,
        client_id=asked.client_id.lower() if client_id else shown(asked.client_id),
        address=exchange.address,
        credential_type=_kind_of(asked, assertion),
        thumbprint=thumbprint.hex if thumbprint else "",
    )
    attempt = Attempt(asked, version, assertion, unreadable, counter, findings, exchange, record)
    if findings.test_switches:
        attempt.switches = switches_for(findings, client_id, exchange.now)
    return attempt


def _kind_of(asked: TokenRequest, assertion: ClientAssertion | FederatedAssertion | None) -> str:
    """The credential's type as the sign-in log calls it."""
    if isinstance(assertion, ClientAssertion):
        return CERTIFICATE
    if isinstance(assertion, FederatedAssertion):
        return FEDERATED_CREDENTIAL
    return CLIENT_ASSERTION if asked.assertion else CLIENT_SECRET
