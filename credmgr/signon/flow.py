"""The authorization code flow with PKCE (OpenID Connect Core 1.0 section 3.1, RFC 7636, RFC 9700).

What has to be known when the person comes back is kept in the session until then, and used once.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.sessions.backends.base import SessionBase
from django.http import QueryDict
from django.views.decorators.debug import sensitive_variables

from credmgr.accounts.models import User
from credmgr.jose.encoding import base64url_encode
from credmgr.outbound.origin import Origin
from credmgr.signon.configuration import Provider
from credmgr.signon.errors import SignOnError
from credmgr.signon.id_tokens import Identity, identity_of
from credmgr.signon.provider import Conversation

PENDING = "single_sign_on"
VALID_SECONDS = 600
_RANDOM_BYTES = 32
_CODE_MAX = 4096


@dataclass(frozen=True)
class Pending:
    """A flow that was begun. goal: the path to go to afterwards. person: the id of whoever confirms, "" where
    somebody signs in.
    """

    state: str
    nonce: str
    verifier: str
    goal: str
    person: str
    begun_at: float


def begin(
    session: SessionBase,
    provider: Provider,
    *,
    goal: str,
    redirect_uri: str,
    origins: Sequence[Origin],
    now: datetime,
    person: User | None = None,
) -> str:
    """The provider's address to send the browser to. person: confirms there, by signing in once more.

    An earlier flow of the session that was not finished ends. Raises SignOnError.
    """
    with Conversation(provider, origins) as conversation:
        endpoint = conversation.metadata().authorization_endpoint
    state, nonce, verifier = (secrets.token_urlsafe(_RANDOM_BYTES) for _ in range(3))
    session[PENDING] = {
        "state": state,
        "nonce": nonce,
        "verifier": verifier,
        "goal": goal,
        "person": str(person.pk) if person else "",
        "begun_at": now.timestamp(),
    }
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "scope": provider.scopes,
        "state": state,
        "nonce": nonce,
        "code_challenge": base64url_encode(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }
    if person:
        asked |= {"prompt": "login", "max_age": "0"}
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"


def take_pending(session: SessionBase, given: QueryDict, now: datetime) -> Pending:
    """The flow that this answer belongs to; it is used up, whatever comes of it. Raises SignOnError."""
    kept: Any = session.pop(PENDING, None)
    if not isinstance(kept, dict):
        raise SignOnError("begin_again", "nothing was begun")
    pending = Pending(**kept)
    if not hmac.compare_digest(_one(given, "state").encode("utf-8", "surrogatepass"), pending.state.encode()):
        raise SignOnError("begin_again", "another state")
    if not 0 <= now.timestamp() - pending.begun_at < VALID_SECONDS:
        raise SignOnError("begin_again", "begun too long ago")
    return pending


@sensitive_variables()
def finish(
    pending: Pending,
    provider: Provider,
    given: QueryDict,
    *,
    redirect_uri: str,
    origins: Sequence[Origin],
    now: datetime,
) -> Identity:
    """Who signed in at the provider. given: the parameters of the answer. Raises SignOnError."""
    with Conversation(provider, origins) as conversation:
        metadata = conversation.metadata()
        # Before anything else of the answer is looked at: is it from the provider that was asked (RFC 9207)?
        if ("iss" in given or metadata.names_issuer) and _one(given, "iss") != provider.issuer:
            raise SignOnError("not_trusted", "the answer names another issuer, or none")
        if "error" in given:
            is_no = _one(given, "error") == "access_denied"
            raise SignOnError(
                "cancelled" if is_no else "provider_refused", "the provider answered with an error"
            )
        code = _one(given, "code")
        if not 0 < len(code) <= _CODE_MAX:
            raise SignOnError("begin_again", "no code")
        token = conversation.id_token(metadata, code, verifier=pending.verifier, redirect_uri=redirect_uri)
        key_set = conversation.key_set(metadata)
    return identity_of(
        token,
        provider=provider,
        nonce=pending.nonce,
        key_set=key_set,
        now=now,
        fresh_since=pending.begun_at if pending.person else None,
    )


def _one(given: QueryDict, name: str) -> str:
    """The parameter, where it is there once (RFC 6749 section 3.1); else nothing."""
    values = given.getlist(name)
    return values[0] if len(values) == 1 else ""
