"""What is asked of the provider over the wire: metadata, tokens, keys; all within one deadline.

Every address has to be on the list of allowed origins, and goes through the one guarded door. Metadata is
remembered for ten minutes by a process; keys are fetched at each sign-in, so that a withdrawn one counts no
more.
"""

import base64
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import quote_plus, urlencode

from django.views.decorators.debug import sensitive_variables

from credmgr.jose.encoding import parse_object
from credmgr.jose.errors import JoseError
from credmgr.outbound.deadline import Deadline
from credmgr.outbound.errors import OutboundError
from credmgr.outbound.origin import Origin, is_covered
from credmgr.outbound.session import Answer, GuardedSession
from credmgr.signon.configuration import Provider
from credmgr.signon.errors import SignOnError

# Metadata, tokens and keys together. A request thread is held for so long at most.
ANSWER_SECONDS = 5.0
_KEPT_SECONDS = 600
_JSON = {"Accept": "application/json"}
_FORM = {**_JSON, "Content-Type": "application/x-www-form-urlencoded"}
# Errors of the token endpoint that may be named in the log (RFC 6749 section 5.2).
_TOKEN_ERRORS = {
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
}


@dataclass(frozen=True)
class Metadata:
    """What is used of the discovery document (OpenID Connect Discovery 1.0 section 3).

    takes_basic: how the client proves itself. names_issuer: answers carry `iss` (RFC 9207 section 3).
    """

    authorization_endpoint: str
    token_endpoint: str
    keys_address: str
    takes_basic: bool
    names_issuer: bool


_lock = threading.Lock()
_known: dict[str, tuple[Metadata, float]] = {}


def forget() -> None:
    """Drop the metadata that is remembered."""
    with _lock:
        _known.clear()


class Conversation:
    """Requests to one provider within ANSWER_SECONDS. origins: those that may be called."""

    def __init__(self, provider: Provider, origins: Sequence[Origin]) -> None:
        self._provider, self._origins = provider, origins
        self._deadline = Deadline(ANSWER_SECONDS)
        self._session = GuardedSession(origins, self._deadline)

    def __enter__(self) -> "Conversation":
        self._deadline.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()
        self._deadline.__exit__(kind, error, trace)

    def metadata(self) -> Metadata:
        """The provider's addresses, each on the list as it is now. Raises SignOnError."""
        issuer = self._provider.issuer
        with _lock:
            known = _known.get(issuer)
        if known is None or time.monotonic() - known[1] > _KEPT_SECONDS:
            known = (self._discovered(), time.monotonic())
            with _lock:
                _known[issuer] = known
        found = known[0]
        for what, address in (
            ("authorization endpoint", found.authorization_endpoint),
            ("token endpoint", found.token_endpoint),
            ("key set", found.keys_address),
        ):
            if not is_covered(address, self._origins):
                raise SignOnError("unreachable", f"the {what} is not on an allowed origin")
        return found

    @sensitive_variables()
    def id_token(self, metadata: Metadata, code: str, *, verifier: str, redirect_uri: str) -> str:
        """Exchange the code (OpenID Connect Core 1.0 section 3.1.3, RFC 7636 section 4.5).

        Raises SignOnError.

        Access and refresh tokens that come with it are dropped unseen.
        """
        headers, fields = self._proof(metadata)
        fields |= {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        # The guarded door sends what it is given: encoded here, nothing depends on the library's own idea.
        answer = self._send(
            "POST", metadata.token_endpoint, "token endpoint", _FORM | headers, urlencode(fields).encode()
        )
        document = self._document(answer, "token endpoint", are_errors_read=True)
        if answer.status_code != 200:
            error = document.get("error")
            named = error if isinstance(error, str) and error in _TOKEN_ERRORS else "another error"
            raise SignOnError("provider_refused", f"the token endpoint answered with {named}")
        token = document.get("id_token")
        if not isinstance(token, str) or not token:
            raise SignOnError("not_trusted", "the token endpoint gave no ID token")
        return token

    def key_set(self, metadata: Metadata) -> dict[str, Any]:
        """The provider's keys. Raises SignOnError."""
        return self._document(self._send("GET", metadata.keys_address, "key set", _JSON), "key set")

    def _discovered(self) -> Metadata:
        issuer = self._provider.issuer
        # A slash at the issuer's end goes before the well-known part is added (section 4.1).
        address = f"{issuer.removesuffix('/')}/.well-known/openid-configuration"
        what = "discovery document"
        document = self._document(self._send("GET", address, what, _JSON), what)
        if document.get("issuer") != issuer:
            raise SignOnError("unreachable", "the discovery document names another issuer")
        methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        takes_basic = "client_secret_basic" in methods if isinstance(methods, list) else True
        return Metadata(
            self._address(document, "authorization_endpoint"),
            self._address(document, "token_endpoint"),
            self._address(document, "jwks_uri"),
            takes_basic,
            document.get("authorization_response_iss_parameter_supported") is True,
        )

    def _address(self, document: dict[str, Any], name: str) -> str:
        value = document.get(name)
        if not isinstance(value, str) or not value:
            raise SignOnError("unreachable", f"the discovery document has no {name}")
        if self._provider.issuer.startswith("https://") and not value.startswith("https://"):
            raise SignOnError("unreachable", f"the {name} is without https")
        return value

    def _proof(self, metadata: Metadata) -> tuple[dict[str, str], dict[str, str]]:
        """(headers, form fields) with which the client proves itself (RFC 6749 section 2.3.1)."""
        provider = self._provider
        if not metadata.takes_basic:
            return {}, {"client_id": provider.client_id, "client_secret": provider.client_secret}
        pair = f"{quote_plus(provider.client_id)}:{quote_plus(provider.client_secret)}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, {}

    def _send(
        self, method: str, address: str, what: str, headers: dict[str, str], data: bytes | None = None
    ) -> Answer:
        try:
            return self._session.send(method, address, headers=headers, data=data)
        except OutboundError as error:
            raise SignOnError("unreachable", f"{what}: {error.failure.value}") from None

    def _document(self, answer: Answer, what: str, *, are_errors_read: bool = False) -> dict[str, Any]:
        if answer.status_code != 200 and not are_errors_read:
            raise SignOnError("unreachable", f"{what}: HTTP {answer.status_code}")
        try:
            return parse_object(answer.text.encode(), what)
        except JoseError:
            raise SignOnError("unreachable", f"{what}: no JSON object, HTTP {answer.status_code}") from None
