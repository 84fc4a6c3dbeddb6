"""POST /{tenant}/oauth2/v2.0/token and /{tenant}/oauth2/token: the client credentials grant (RFC 6749
section 4.4), checks in the order of W1. The two differ in how a resource is named (scope; resource) and in
the success body; the token itself follows the resource.

The sign-in record is committed before the answer is made; if it cannot be written, there is no token.
"""

import uuid
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from credmgr.audit.sign_ins import (
    CERTIFICATE,
    CLIENT_ASSERTION,
    CLIENT_SECRET,
    FEDERATED_CREDENTIAL,
    SignInRecord,
    record_sign_in,
    refusals_without_row,
)
from credmgr.audit.token_database import guid_text
from credmgr.audit.turns import Turn, turns_of_process
from credmgr.authority import throttling
from credmgr.authority.access_tokens import (
    BY_ASSERTION,
    BY_SECRET,
    Grant,
    Validity,
    mint_access_token,
    validity_from,
)
from credmgr.authority.assertions import (
    ClientAssertion,
    FederatedAssertion,
    read_assertion,
    verify_assertion,
)
from credmgr.authority.audiences import is_audience_of, token_endpoint
from credmgr.authority.directory import Client, Findings, Question, concrete_tenant_key, look_up
from credmgr.authority.exchange import Exchange
from credmgr.authority.federation import credentials_of, match_assertion, verify_federated
from credmgr.authority.refusals import RefusalError, shown
from credmgr.authority.responses import Answer, error_response, token_response, token_response_v1
from credmgr.authority.roles import granted_roles
from credmgr.authority.scopes import resource_of, resource_of_v1
from credmgr.authority.switches import obey, switches_for
from credmgr.authority.token_request import TokenRequest, read_token_request, uses_basic
from credmgr.authority.used_assertions import OnlyUse, is_used, only_use_of, use_up
from credmgr.authority.waiting import hold
from credmgr.credentials.client_secrets import match_secret
from credmgr.registrations.queries import parse_guid
from credmgr.registrations.resources import Resource, find_resource
from credmgr.registrations.switches import Switches


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
        return error_response(refusal, exchange, basic=uses_basic(request))
    if attempt.switches is not None and attempt.switches.delay:
        hold(attempt.switches.delay)
    return answer


def _answer(request: HttpRequest, attempt: "_Attempt", exchange: Exchange) -> Answer:
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


def _fold(attempt: "_Attempt", refusal: RefusalError) -> str:
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
) -> "_Attempt":
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
    attempt = _Attempt(asked, version, assertion, unreadable, counter, findings, exchange, record)
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


@dataclass(slots=True)
class _Attempt:
    """One request of a known directory on its way to a token; fills its sign-in record as it learns."""

    asked: TokenRequest
    version: int
    assertion: ClientAssertion | FederatedAssertion | None
    unreadable: RefusalError | None
    counter: str
    findings: Findings
    exchange: Exchange
    record: SignInRecord
    only_use: OnlyUse | None = None
    switches: Switches | None = None
    # What the directory's clock says, and how long its token lives: switches of a test directory change both.
    now: datetime = field(init=False)
    validity: Validity = field(init=False)

    def run(self) -> str:
        """The access token. Raises RefusalError, VaultError."""
        self.now, lifetime = self.exchange.now, 0
        if self.switches is not None:
            self.now += timedelta(seconds=self.switches.clock_shift)
            lifetime = self.switches.lifetime
            obey(self.switches, self.record, self.asked, self.findings, self.exchange)
        self.validity = validity_from(self.now, lifetime)
        client = self._client()
        proof = self._prove(client)
        identifier = self._identifier()
        resource = self._resource(identifier)
        roles = self._roles(client, resource)
        grant = Grant(self.findings.tenant_id, client, resource, identifier, proof, roles)
        token, self.record.token_id = mint_access_token(
            grant,
            signing_key_id=_present(self.findings.signing_key_id),
            trace_id=self.exchange.trace_id,
            validity=self.validity,
        )
        return token

    def commit(self) -> None:
        """Put the sign-in on record, and with it the only use of an assertion. Raises RefusalError, if
        another request had it meanwhile.
        """
        if self.only_use is None:
            record_sign_in(self.record)
            return
        with transaction.atomic(using=settings.TOKENS_DATABASE):
            if not use_up(self.only_use):
                raise RefusalError(700028, client_id=self.record.client_id)
            record_sign_in(self.record)

    def _identifier(self) -> str:
        """The resource as the endpoint's version has it named."""
        if self.version == 1:
            return resource_of_v1(self.asked.resource)
        return resource_of(self.asked.scope, resource_parameter=self.asked.resource)

    def _client(self) -> Client:
        """Known and enabled. An unknown one costs as much as a known one: same statement, one digest."""
        findings, asked = self.findings, self.asked
        client = findings.client
        if client is None:
            if asked.secret:
                match_secret((), asked.secret, self.now)
            guid = parse_guid(asked.client_id)
            if guid is None or guid.int == 0:
                raise RefusalError(700038, client_id=asked.client_id)
            raise RefusalError(
                700016,
                client_id=asked.client_id,
                tenant_name=findings.tenant_name,
                tenant_id=findings.tenant_id,
            )
        self.record.application_id = client.id
        self.record.service_principal_id = client.service_principal_id
        if client.service_principal_id is None:
            raise RefusalError(
                7000229,
                client_id=client.client_id,
                client_name=client.name,
                tenant_name=findings.tenant_name,
                tenant_id=findings.tenant_id,
            )
        if client.is_disabled:
            raise RefusalError(7000112, client_id=client.client_id, client_name=client.name)
        return client

    def _prove(self, client: Client) -> str:
        """How the client proved itself. Raises RefusalError with the reason it did not."""
        if self.asked.secret:
            self._check_secret(client)
            return BY_SECRET
        if self.unreadable is not None:
            raise self.unreadable
        if isinstance(self.assertion, FederatedAssertion):
            self._check_federated(client, self.assertion)
        else:
            self._check_assertion(client)
        if self.findings.single_use_assertions and self.assertion is not None:
            ahead = self.now - self.exchange.now
            self.only_use = only_use_of(self.assertion, client.client_id, clock_ahead=ahead)
            if is_used(self.only_use):
                raise RefusalError(700028, client_id=client.client_id)
        return BY_ASSERTION

    @sensitive_variables()
    def _check_secret(self, client: Client) -> None:
        now, presented = self.exchange.now, self.asked.secret
        throttling.refuse_if_guessing(self.findings.wrong_secrets, now)
        match = match_secret(self.findings.secrets, presented, self.now)
        if match.secret is not None:
            self.record.credential_id = match.secret.id
        if match.kind == "expired" and match.secret is not None:
            raise RefusalError(
                7000222,
                client_id=client.client_id,
                client_name=client.name,
                key_id=match.secret.id,
                end=f"{match.secret.end_at:%Y-%m-%dT%H:%M:%SZ}",
            )
        if match.kind != "live":
            throttling.count_wrong_secret(self.counter, now)
            raise RefusalError(7000215, client_id=client.client_id, hint=self._hint(parse_guid(presented)))

    def _hint(self, presented: uuid.UUID | None) -> str:
        """The commonest mistake, said when it is certain. A Secret ID is no secret."""
        if presented and any(secret.id == presented for secret in self.findings.secrets):
            return " What was sent is the Secret ID of one of them."
        return ""

    def _check_federated(self, client: Client, assertion: FederatedAssertion) -> None:
        """What is trusted is read before anything is fetched; nothing holds the database meanwhile."""
        client_id = str(client.client_id)
        found = match_assertion(assertion, credentials_of(client.id), client_id)
        self.record.credential_id = found.id
        verify_federated(assertion, client_id=client_id, now=self.exchange.now, judged_at=self.now)

    def _check_assertion(self, client: Client) -> None:
        if not isinstance(self.assertion, ClientAssertion):
            raise TypeError("An assertion is read before it is checked.")
        tenant_id = self.findings.tenant_id
        found = verify_assertion(
            self.assertion,
            self.findings.certificates,
            client_id=guid_text(client.client_id),
            is_our_audience=partial(is_audience_of, tenant_id),
            expected_audience=token_endpoint(tenant_id, version=self.version),
            now=self.now,
        )
        self.record.credential_id = found.id

    def _resource(self, identifier: str) -> Resource:
        findings = self.findings
        self.record.resource = shown(identifier)
        resource = find_resource(findings.tenant_id, identifier)
        if resource is None:
            raise RefusalError(
                500011,
                resource=identifier,
                tenant_name=findings.tenant_name,
                tenant_id=findings.tenant_id,
                hint=" Compare it with the Application ID URI of the API, letter by letter.",
            )
        self.record.resource_id = guid_text(resource.client_id)
        if resource.is_disabled:
            raise RefusalError(500014, resource=identifier, resource_name=resource.name)
        return resource

    def _roles(self, client: Client, resource: Resource) -> tuple[str, ...]:
        """The granted, enabled app roles. Without any grant at all nothing more is asked of the database."""
        findings = self.findings
        roles = granted_roles(findings.tenant_id, client.id, resource) if findings.has_roles else ()
        if resource.demands_assignment and not roles:
            raise RefusalError(
                501051,
                client_id=client.client_id,
                client_name=client.name,
                resource_id=resource.client_id,
                resource_name=resource.name,
            )
        return roles


def _present(signing_key_id: uuid.UUID | None) -> uuid.UUID:
    """Without a key that signs there is no token: `serve` makes one before it listens."""
    if signing_key_id is None:
        raise RefusalError(90033)
    return signing_key_id
