"""One token request of a known directory, from the client to the token, in the order of W1.

What it learns on its way goes into its sign-in record; `token_endpoint` puts that on record and answers.
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from credmgr.audit.sign_ins import (
    SignInRecord,
    record_sign_in,
)
from credmgr.audit.token_database import guid_text
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
    verify_assertion,
)
from credmgr.authority.audiences import is_audience_of, token_endpoint
from credmgr.authority.directory import Client, Findings
from credmgr.authority.exchange import Exchange
from credmgr.authority.federation import credentials_of, match_assertion, verify_federated
from credmgr.authority.refusals import RefusalError, shown
from credmgr.authority.roles import granted_roles
from credmgr.authority.scopes import resource_of, resource_of_v1
from credmgr.authority.switches import obey
from credmgr.authority.token_request import TokenRequest
from credmgr.authority.used_assertions import OnlyUse, is_used, only_use_of, use_up
from credmgr.credentials.client_secrets import match_secret
from credmgr.registrations.queries import parse_guid
from credmgr.registrations.resources import Resource, find_resource
from credmgr.registrations.switches import Switches


@dataclass(slots=True)
class Attempt:
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
