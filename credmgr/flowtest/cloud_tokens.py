"""What a right token of a Microsoft cloud says, as far as somebody who is not its API can tell.

"Access tokens in the Microsoft identity platform": the names of an API and its GUID are known to the
directory alone; tokens for Microsoft Graph carry a nonce in their header, and only Graph can check those.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from credmgr.clouds import CLOUDS
from credmgr.flowtest.cloud_metadata import directory_of_issuer
from credmgr.flowtest.report import Check
from credmgr.flowtest.verification import (
    attempt,
    equal_check,
    issuer_check,
    proof_check,
    signature_check,
    times_check,
)
from credmgr.jose.jwk import find_key
from credmgr.jose.jws import UnverifiedToken
from credmgr.registrations.queries import parse_guid
from credmgr.registrations.resources import GRAPH_CLIENT_ID

_GRAPH = frozenset({str(GRAPH_CLIENT_ID), *(cloud.graph_url for cloud in CLOUDS)})


@dataclass(frozen=True)
class CloudExpectations:
    """proof: "1" for a secret, "2" for an assertion, as the token's acr claim has it."""

    client_id: str
    proof: str
    scope: str

    def judge(
        self,
        token: UnverifiedToken,
        metadata: Mapping[str, Any],
        key_set: Mapping[str, Any],
        now: datetime,
    ) -> tuple[list[Check], bool]:
        """Seven checks; the signature of a token for Microsoft Graph is nobody's to check but Graph's."""
        claims = token.claims
        signature = _sealed(token, key_set) if "nonce" in token.header else signature_check(token, key_set)
        client = claims.get("azp") if claims.get("ver") == "2.0" else claims.get("appid")
        directory = directory_of_issuer(metadata.get("issuer"))
        checks = [
            signature,
            issuer_check(claims, metadata),
            self._audience(claims.get("aud")),
            equal_check("Directory is the one asked", claims.get("tid"), directory),
            equal_check("Client is this application", client, self.client_id),
            proof_check(claims, self.proof),
            times_check(claims, now),
        ]
        return checks, signature.outcome != "unchecked"

    def _audience(self, audience: object) -> Check:
        """aud as an identifier of the API that the scope named, where that can be told."""
        asked = self.scope.removesuffix("/.default")
        name = f"Audience is {asked}"
        if not isinstance(audience, str) or not audience:
            return Check(name, "failed", f"The token is for {audience}")
        found, wanted = _bare(audience), _bare(asked)
        if found == wanted or (found in _GRAPH and wanted in _GRAPH):
            return Check(name, "ok", f"{audience}, the resource that the scope named")
        return Check(
            name,
            "unchecked",
            f"The token is for {audience}; whether that is {asked} by another name, the directory knows",
        )


def _bare(identifier: str) -> str:
    """An identifier to compare: no slash at the end, small letters, api://{client ID} as the client ID."""
    text = identifier.rstrip("/").casefold()
    bare = text.removeprefix("api://")
    return bare if parse_guid(bare) else text


def _sealed(token: UnverifiedToken, key_set: Mapping[str, Any]) -> Check:
    """A token for Microsoft Graph: its key must be one that the directory publishes, more cannot be told."""
    kid = token.header.get("kid")
    name = "Signature is valid"
    found = attempt(name, lambda: str(find_key(key_set, kid if isinstance(kid, str) else "")))
    if found.outcome != "ok":
        return found
    return Check(
        name,
        "unchecked",
        "The header carries a nonce, as tokens for Microsoft Graph do: by design only Graph can check the "
        f"signature. It was made with key {kid} of the published key set",
    )
