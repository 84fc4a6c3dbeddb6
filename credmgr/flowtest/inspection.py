"""A token's header and claims in words: groups, meanings, times. Knows nothing of where the token came from.

Meanings follow Microsoft's access token claims reference and RFC 7519 section 4.1, in our own words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

WHO = "Who asks"
WHAT = "What it may do"
WHEN = "When"
WHERE = "Where from"
OTHER = "Other"
_PROOFS = {"0": "No proof, a public client", "1": "Client secret", "2": "Certificate or assertion"}

# claim: (group, meaning), in the order of the page.
_CLAIMS: dict[str, tuple[str, str]] = {
    "azp": (WHO, "The application that asked for the token. In v1 tokens this claim is called appid."),
    "appid": (WHO, "The application that asked for the token. In v2 tokens this claim is called azp."),
    "azpacr": (WHO, "How it proved itself: 0 not at all, 1 with a client secret, 2 with a certificate."),
    "appidacr": (WHO, "How it proved itself: 0 not at all, 1 with a client secret, 2 with a certificate."),
    "app_displayname": (WHO, "The name of the application that asked for the token."),
    "oid": (
        WHO,
        "The service principal of the application in this directory. The same for every resource; use it "
        "to grant rights.",
    ),
    "client_id": (WHO, "The application that asked for the token."),
    "sub": (WHO, "The subject. For an application Entra repeats oid, other issuers often the client ID."),
    "idtyp": (
        WHO,
        "The kind of caller: app means that the token speaks for an application, not for a person.",
    ),
    "name": (WHO, "The person's display name. Tokens of applications have none."),
    "preferred_username": (WHO, "The person's sign-in name. Tokens of applications have none."),
    "aud": (WHAT, "Who the token is for. That API must refuse tokens with any other value."),
    "roles": (
        WHAT,
        "Application permissions that were granted. Without this claim the API should refuse the call.",
    ),
    "scope": (WHAT, "The scopes that were given, with spaces between."),
    "scp": (WHAT, "Delegated permissions. Tokens of applications have none."),
    "iat": (WHEN, "Issued at."),
    "nbf": (WHEN, "Not valid before. Five minutes early, to forgive clocks that run behind."),
    "exp": (WHEN, "Not valid after."),
    "iss": (WHERE, "The authority that issued the token. An API compares it with its own configuration."),
    "tid": (WHERE, "The directory (tenant) the application signed in to."),
    "idp": (WHERE, "The identity provider. Equal to iss where the application lives in this directory."),
    "ver": (WHERE, "Version of the token format. The resource decides it, not the client."),
    "uti": (WHERE, "Identifier of this very token, for support. The sign-in log shows it too."),
    "jti": (WHERE, "Identifier of this very token."),
    "aio": (OTHER, "Internal to the authority. Do not read it."),
    "rh": (OTHER, "Internal to the authority. Do not read it."),
    "xms_ftd": (OTHER, "Internal to the authority. Do not read it."),
}
_TIMES = {"iat", "nbf", "exp", "auth_time", "xms_tcdt"}
_GROUPS = (WHO, WHAT, WHEN, WHERE, OTHER)


@dataclass(frozen=True)
class ClaimLine:
    """One claim for the page. note: the value in words ("in 59 minutes"), empty where there is none."""

    name: str
    value: str
    note: str
    meaning: str


def explain(
    claims: Mapping[str, Any], *, now: datetime, names: Mapping[str, str] | None = None
) -> list[tuple[str, list[ClaimLine]]]:
    """The claims in groups, in a fixed order; unknown ones come last, without a meaning made up.

    names: words to put beside values ({client id: display name}).
    """
    known = names or {}
    groups: dict[str, list[ClaimLine]] = {group: [] for group in _GROUPS}
    ordered = [name for name in _CLAIMS if name in claims] + [name for name in claims if name not in _CLAIMS]
    for name in ordered:
        group, meaning = _CLAIMS.get(name, (OTHER, ""))
        value = claims[name]
        groups[group].append(ClaimLine(name, _shown(value), _note(name, value, now, known), meaning))
    return [(group, lines) for group, lines in groups.items() if lines]


def moment(value: object) -> datetime | None:
    """A NumericDate (RFC 7519 section 2) as a UTC moment, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def shown_moment(at: datetime) -> str:
    """As the portal writes times: "23 Nov 2026, 14:52:07 UTC"."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M:%S} UTC"


def relative(at: datetime, now: datetime) -> str:
    """The distance in words: "in 59 minutes", "5 minutes ago", "now"."""
    seconds = round((at - now).total_seconds())
    size = abs(seconds)
    if size < 1:
        return "now"
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        # Two hours and more in hours, below that in minutes: "in 65 minutes" says more than "in 1 hour".
        if size >= length * (2 if length > 1 else 1) or length == 1:
            count = size // length
            words = f"{count:,} {unit}{'' if count == 1 else 's'}"
            return f"in {words}" if seconds > 0 else f"{words} ago"
    return "now"


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(item) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def _note(name: str, value: object, now: datetime, names: Mapping[str, str]) -> str:
    if name in _TIMES:
        at = moment(value)
        return f"{shown_moment(at)}, {relative(at, now)}" if at else "Not a date"
    if name in ("azpacr", "appidacr"):
        return _PROOFS.get(str(value), "")
    return names.get(str(value), "")
