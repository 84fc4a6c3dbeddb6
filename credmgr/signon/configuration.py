"""Which provider people sign in with, and which roles go with what it says of them: the settings, read.

CREDMGR_SSO_ROLE_MAP is a list of claim-value=role[@place]: place is a domain of a directory, * for every
directory, and the default directory where it is missing.
"""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.conf import settings

from credmgr.accounts.roles import Role

EVERYWHERE = "*"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_NAME_MAX = 40


@dataclass(frozen=True)
class RoleRule:
    """Whoever has this value in the claim has the role. place: "" the default directory, "*" every one, else
    a domain in lower case.
    """

    value: str
    role: Role
    place: str


@dataclass(frozen=True)
class Provider:
    """The one provider. second_factor: AMR, ALWAYS or NEVER."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str
    scopes: str
    role_claim: str
    rules: tuple[RoleRule, ...]
    second_factor: str
    is_required: bool


def configured() -> Provider | None:
    """The provider of the settings; None where there is none, or where `problems` has something to say."""
    if not settings.SSO_ISSUER or problems():
        return None
    return Provider(
        settings.SSO_ISSUER,
        settings.SSO_CLIENT_ID,
        settings.SSO_CLIENT_SECRET,
        settings.SSO_NAME,
        " ".join(settings.SSO_SCOPES.split()),
        settings.SSO_ROLE_CLAIM,
        tuple(_rule(entry) for entry in settings.SSO_ROLE_MAP),
        settings.SSO_SECOND_FACTOR,
        settings.SSO_REQUIRED,
    )


def problems() -> list[str]:
    """What keeps the settings from being used, a sentence each. No value that is secret is in them."""
    needed = {
        "CREDMGR_SSO_ISSUER": settings.SSO_ISSUER,
        "CREDMGR_SSO_CLIENT_ID": settings.SSO_CLIENT_ID,
        "CREDMGR_SSO_CLIENT_SECRET": settings.SSO_CLIENT_SECRET,
        "CREDMGR_SSO_ROLE_MAP": settings.SSO_ROLE_MAP,
    }
    missing = [name for name, value in needed.items() if not value]
    if len(missing) == len(needed):
        return ["CREDMGR_SSO_REQUIRED is on, but no provider is set."] if settings.SSO_REQUIRED else []
    found = [f"{name} is missing: the settings of single sign-on go together." for name in missing]
    if settings.SSO_ISSUER and not _is_issuer(settings.SSO_ISSUER):
        found.append("CREDMGR_SSO_ISSUER is no https address, or has a query, a fragment or a user name.")
    if "openid" not in settings.SSO_SCOPES.split():
        found.append("CREDMGR_SSO_SCOPES must hold openid.")
    if not settings.SSO_ROLE_CLAIM:
        found.append("CREDMGR_SSO_ROLE_CLAIM is empty.")
    if not settings.SSO_NAME or len(settings.SSO_NAME) > _NAME_MAX or not settings.SSO_NAME.isprintable():
        found.append(f"CREDMGR_SSO_NAME must have 1 to {_NAME_MAX} characters: it stands on a button.")
    for entry in settings.SSO_ROLE_MAP:
        try:
            _rule(entry)
        except ValueError:
            known = ", ".join(role.value for role in Role)
            found.append(
                f"CREDMGR_SSO_ROLE_MAP holds {entry!r}, which is not claim-value=role[@domain or *] with one "
                f"of the roles {known}."
            )
    return found


def _is_issuer(issuer: str) -> bool:
    """https, or http on loopback (OpenID Connect Discovery 1.0 section 3: no query, no fragment)."""
    try:
        parts = urlsplit(issuer)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    is_plain = issuer.isascii() and issuer.isprintable() and not any(sign in issuer for sign in " \\?#@")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    return is_plain and is_safe and bool(host) and port != 0


def _rule(entry: str) -> RoleRule:
    """Raises ValueError. The value may hold = and @ itself: the last = divides."""
    value, divider, told = entry.rpartition("=")
    name, at, place = told.partition("@")
    if not divider or not value.strip() or (at and not place.strip()):
        raise ValueError(entry)
    return RoleRule(value.strip(), Role(name.strip()), place.strip().lower())
