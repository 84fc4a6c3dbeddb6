"""An outside token beside the federated credential that should trust it: what authorities compare."""

from typing import Any

from credmgr.credentials.models import FederatedCredential
from credmgr.flowtest.report import Presented, ShapeResult


def presented_values(trust: FederatedCredential, result: ShapeResult) -> list[Presented]:
    """Issuer, subject and audience, in the order in which an authority compares them.

    Empty where nothing of the token could be read. A list of one audience counts as that audience.
    """
    claims: dict[str, Any] = result.assertion.get("claims", {})
    if not claims:
        return []
    audience = claims.get("aud")
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    return [
        Presented("Issuer", trust.issuer, _text(claims.get("iss"))),
        Presented("Subject", trust.subject, _text(claims.get("sub"))),
        Presented("Audience", trust.audience, _text(audience)),
    ]


def difference(configured: str, presented: str) -> str:
    """Where two values part, in words; empty where they are equal."""
    if configured == presented:
        return ""
    if not presented:
        return "The token has none"
    if configured.casefold() == presented.casefold():
        return "Only capital and small letters differ"
    if configured.rstrip("/") == presented.rstrip("/"):
        return "Only the slash at the end differs"
    at = next(
        (index for index, pair in enumerate(zip(configured, presented, strict=False)) if pair[0] != pair[1]),
        min(len(configured), len(presented)),
    )
    return f"Differ from character {at + 1} on"


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return "" if value is None else str(value)
