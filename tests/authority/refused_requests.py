"""One request for each code that the authority can answer with, and its answer with everything that varies
replaced by names.
"""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError

from credmgr.audit.recording import Actor
from credmgr.credentials.federated import DEFAULT_AUDIENCE, add_federated_credential
from credmgr.registrations.models import MULTITENANT, Tenant
from credmgr.registrations.registering import set_disabled, update_application
from tests.authority.assertion_maker import KeyPair, compact
from tests.authority.conftest import GUID, Answer, Directory, unknown_guid

ISSUER = "https://issuer.example/pool"
SUBJECT = "system:serviceaccount:payroll:nightly"
_VARIES = (
    (re.compile(GUID), "<guid>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"\b[0-9A-F]{40}\b"), "<thumbprint>"),
    (re.compile(r"Wait \d+ seconds"), "Wait <number> seconds"),
)


@dataclass
class Scene:
    """What a request can be made with: an application with a live secret, two key pairs."""

    directory: Directory
    secret: str
    pair: KeyPair
    other_pair: KeyPair
    settings: LazySettings
    patch: pytest.MonkeyPatch

    def ask(self, **changes: Any) -> Answer:
        """A good request by secret, changed."""
        return self.directory.ask(**{"client_secret": self.secret, **changes})

    def at(self, tenant: str) -> Answer:
        """The same at another directory's address."""
        return self.ask(path=f"/{tenant}/oauth2/v2.0/token")

    def present(self, **claims: Any) -> Answer:
        """A good assertion by certificate, its claims changed."""
        self.directory.add_certificate(self.pair)
        return self.directory.present(self.directory.assertion(self.pair, **claims))

    def federated(self, *, trusts: bool = True, **changes: Any) -> Answer:
        """The token of an outside issuer that the application trusts, changed."""
        if trusts:
            add_federated_credential(
                self.directory.app,
                name="nightly",
                issuer=ISSUER,
                subject=SUBJECT,
                actor=Actor.command(),
                now=self.directory.now,
            )
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": SUBJECT, "aud": DEFAULT_AUDIENCE, "exp": now + 300, **changes}
        header = {"alg": "RS256", "typ": "JWT", "kid": "1"}
        return self.directory.present(compact(header, claims, self.pair.key))


def normalised(answer: Answer) -> dict[str, Any]:
    """{"status": ..., "body": ...} with names in place of what differs each time."""
    text = json.dumps(answer.body)
    for pattern, name in _VARIES:
        text = pattern.sub(name, text)
    return {"status": answer.status, "body": json.loads(text)}


def _expired_secret(scene: Scene) -> Answer:
    _, value = scene.directory.add_secret(start=timedelta(days=-9), end=timedelta(days=-1))
    return scene.ask(client_secret=value)


def _another_key(scene: Scene) -> Answer:
    return scene.directory.present(scene.directory.assertion(scene.other_pair))


def _used_before(scene: Scene) -> Answer:
    Tenant.objects.update(single_use_assertions=True)
    scene.directory.add_certificate(scene.pair)
    assertion = scene.directory.assertion(scene.pair)
    assert scene.directory.present(assertion).status == 200
    return scene.directory.present(assertion)


def _disabled_client(scene: Scene) -> Answer:
    set_disabled(scene.directory.app, disabled=True, actor=Actor.command(), now=scene.directory.now)
    return scene.ask()


def _no_service_principal(scene: Scene) -> Answer:
    """A multitenant application, asked for at a directory that never consented."""
    update_application(
        scene.directory.app,
        sign_in_audience=MULTITENANT,
        expected_version=scene.directory.app.version,
        actor=Actor.command(),
        now=scene.directory.now,
    )
    elsewhere = Tenant.objects.create(name="Elsewhere", created_at=scene.directory.now)
    return scene.at(str(elsewhere.id))


def _disabled_resource(scene: Scene) -> Answer:
    api = scene.directory.register("Orders API", identifier_uri="api://orders")
    set_disabled(api, disabled=True, actor=Actor.command(), now=scene.directory.now)
    return scene.ask(scope="api://orders/.default")


def _no_assignment(scene: Scene) -> Answer:
    api = scene.directory.register("Orders API", identifier_uri="api://orders")
    update_application(
        api,
        app_role_assignment_required=True,
        expected_version=api.version,
        actor=Actor.command(),
        now=scene.directory.now,
    )
    return scene.ask(scope="api://orders/.default")


def _instance_elsewhere(scene: Scene) -> Answer:
    endpoint = "https://login.elsewhere.example/common/oauth2/v2.0/authorize"
    return scene.directory.get(f"/common/discovery/instance?authorization_endpoint={endpoint}")


def _too_many(scene: Scene) -> Answer:
    scene.settings.TOKEN_REQUESTS_PER_MINUTE = 1
    for _ in range(3):
        answer = scene.ask()
    return answer


def _no_record(scene: Scene) -> Answer:
    def full(*_: object, **__: object) -> None:
        raise OperationalError("database or disk is full")

    scene.patch.setattr("credmgr.authority.attempt.record_sign_in", full)
    return scene.ask()


def _our_mistake(scene: Scene) -> Answer:
    scene.patch.setattr("credmgr.authority.attempt.resource_of", lambda *_, **__: 1 / 0)
    return scene.ask()


REQUESTS: dict[int, Callable[[Scene], Answer]] = {
    7000215: lambda scene: scene.ask(client_secret="wrong"),
    7000222: _expired_secret,
    7000216: lambda scene: scene.ask(client_secret=None),
    700027: _another_key,
    700024: lambda scene: scene.present(exp=1_000_000_600, iat=1_000_000_000),
    700021: lambda scene: scene.present(sub="somebody-else"),
    700023: lambda scene: scene.present(aud="https://elsewhere.example/token"),
    700028: _used_before,
    50027: lambda scene: scene.directory.present("no.jwt"),
    70025: lambda scene: scene.federated(trusts=False),
    700211: lambda scene: scene.federated(iss=f"{ISSUER}/"),
    700212: lambda scene: scene.federated(aud="api://else"),
    700213: lambda scene: scene.federated(sub=f"{SUBJECT}-2"),
    7002138: lambda scene: scene.federated(sub=SUBJECT.upper()),
    50166: lambda scene: scene.federated(),
    700016: lambda scene: scene.ask(client_id=unknown_guid()),
    7000229: _no_service_principal,
    7000112: _disabled_client,
    700038: lambda scene: scene.ask(client_id="00000000-0000-0000-0000-000000000000"),
    90002: lambda scene: scene.at("nobody.example"),
    900023: lambda scene: scene.at("no_tenant"),
    900021: lambda scene: scene.at("00000000-0000-0000-0000-000000000000"),
    50059: lambda scene: scene.at("organizations"),
    9001023: lambda scene: scene.at("common"),
    50049: _instance_elsewhere,
    1002012: lambda scene: scene.ask(scope="https://graph.microsoft.com/User.Read"),
    70011: lambda scene: scene.ask(scope='api://"orders"/.default'),
    28000: lambda scene: scene.ask(scope="api://orders/.default api://stock/.default"),
    500011: lambda scene: scene.ask(scope="api://nobody/.default"),
    500014: _disabled_resource,
    901002: lambda scene: scene.ask(resource="https://graph.microsoft.com"),
    501051: _no_assignment,
    900144: lambda scene: scene.ask(scope=None),
    70003: lambda scene: scene.ask(grant_type="password"),
    900561: lambda scene: scene.directory.get(scene.directory.path),
    9002313: lambda scene: scene.ask(client_assertion="x"),
    90055: _too_many,
    90033: _no_record,
    90020: _our_mistake,
}
