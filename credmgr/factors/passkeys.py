"""Passkeys as a second factor (WebAuthn level 3, 7.1 and 7.2): adding one, and proving that one has it.

Challenges travel in the state that `begin_*` gives and the other call takes back; it is good for one answer.
The relying party is this server's configured name, never the Host header.
"""

import json
import struct
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from credmgr.accounts.models import User
from credmgr.audit.recording import Actor
from credmgr.factors.changing import added, codes_for_the_first, locked
from credmgr.factors.errors import FactorError
from credmgr.factors.models import PASSKEY
from credmgr.factors.proving import record_proof

NAME_MAX = 60
PASSKEYS_MOST = 10
State = dict[str, Any]
# What fido2 raises for bytes that are no answer of an authenticator: they come from outside.
_NOT_AN_ANSWER = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    AssertionError,
    RuntimeError,
    struct.error,
)


def begin_adding(user: User) -> tuple[str, State]:
    """(the options for navigator.credentials.create as JSON, the state to keep)."""
    options, state = _server().register_begin(
        PublicKeyCredentialUserEntity(id=user.pk.bytes, name=user.username, display_name=user.shown_name),
        credentials=[known for _, known in _known(user)],
        resident_key_requirement=ResidentKeyRequirement.DISCOURAGED,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return json.dumps(dict(options)["publicKey"]), _plain(state)


def add_passkey(
    user: User,
    *,
    name: str,
    answer: dict[str, Any],
    state: State | None,
    keep_session: str | None,
    actor: Actor,
    now: datetime,
) -> list[str]:
    """Ask for this passkey from the next sign-in on. Returns recovery codes where the person had none, once.

    answer: what the browser gave. Raises FactorError for an answer to another question, or from elsewhere.
    """
    try:
        response = RegistrationResponse.from_dict(answer)
        made = _server().register_complete(state, response)
        credential = _stored(response)
    except _NOT_AN_ANSWER:
        raise FactorError("no_passkey", "The browser's answer does not fit. Try again.") from None
    with transaction.atomic():
        locked(user)
        known = _known(user)
        if len(known) >= PASSKEYS_MOST:
            raise FactorError("too_many", f"You have {PASSKEYS_MOST} passkeys. Remove one first.")
        data = made.credential_data
        if data is None or any(data.credential_id == each.credential_id for _, each in known):
            raise FactorError("known_passkey", "You have this passkey already.")
        called = " ".join(name.split())[:NAME_MAX] or "Passkey"
        stored = {"name": called, "credential": credential, "sign_count": made.counter}
        Authenticator.objects.create(user=user, type=PASSKEY, data=stored, created_at=now)
        added(user, f"Passkey {called}", keep_session, actor, now)
        return codes_for_the_first(user, actor=actor, now=now)


def begin_proving(user: User) -> tuple[str, State]:
    """(the options for navigator.credentials.get as JSON, the state to keep)."""
    options, state = _server().authenticate_begin(
        credentials=[known for _, known in _known(user)],
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return json.dumps(dict(options)["publicKey"]), _plain(state)


def prove_passkey(
    user: User, answer: dict[str, Any], *, state: State | None, actor: Actor, now: datetime
) -> bool:
    """Whether the answer comes from a passkey of the person and fits the question. Goes on record either way.

    A counter that does not rise tells of a copied authenticator (7.2, step 22): refused.
    """
    with transaction.atomic():
        locked(user)
        known = _known(user)
        row = None
        try:
            used = _server().authenticate_complete(state, [each for _, each in known], answer)
            count = AuthenticationResponse.from_dict(answer).response.authenticator_data.counter
            row = next(row for row, each in known if each.credential_id == used.credential_id)
        except _NOT_AN_ANSWER:
            row = None
        if row is not None and (before := row.data.get("sign_count", 0)) and count <= before:
            row = None
        if row is not None:
            row.data["sign_count"], row.last_used_at = count, now
            row.save(update_fields=["data", "last_used_at"])
        record_proof(user, f"Passkey {row.data['name']}" if row else "", actor, now)
    return row is not None


def _server() -> Fido2Server:
    name = urlsplit(settings.PORTAL_URL).hostname or ""
    allowed = {settings.PORTAL_URL, settings.AUTHORITY_URL}
    entity = PublicKeyCredentialRpEntity(id=name, name="Credential Manager")
    return Fido2Server(entity, verify_origin=lambda origin: origin in allowed)


def _known(user: User) -> list[tuple[Any, AttestedCredentialData]]:
    found = []
    for row in Authenticator.objects.filter(user=user, type=PASSKEY).order_by("pk"):
        try:
            stored = RegistrationResponse.from_dict(row.data["credential"])
            data = stored.response.attestation_object.auth_data.credential_data
        except _NOT_AN_ANSWER:
            continue  # not of this version; it can be removed
        if data is not None:
            found.append((row, data))
    return found


def _stored(response: RegistrationResponse) -> dict[str, Any]:
    """What was judged, in allauth's form, and nothing else that the browser sent along."""
    name = websafe_encode(response.raw_id)
    parts = {
        "clientDataJSON": websafe_encode(response.response.client_data),
        "attestationObject": websafe_encode(response.response.attestation_object),
    }
    return {
        "id": name,
        "rawId": name,
        "type": "public-key",
        "response": parts,
        "clientExtensionResults": {},
    }


def _plain(state: Any) -> State:
    """What a session can hold."""
    return {name: str(getattr(value, "value", value)) for name, value in dict(state).items()}
