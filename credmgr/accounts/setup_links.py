"""The one-time link that makes the first administrator (rulings P10, P11)."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from credmgr.accounts.models import SetupLink, User

LIFETIME = timedelta(hours=1)


def make_setup_link(now: datetime) -> str | None:
    """A new link's token, or None once there is an administrator. Earlier links that were not used end.

    Only the token's SHA-256 is stored: it has 256 random bits, so nothing slower is needed.
    """
    if has_administrator():
        return None
    SetupLink.objects.all().delete()
    token = secrets.token_urlsafe(32)
    SetupLink.objects.create(digest=_digest(token), expires_at=now + LIFETIME)
    return token


def find_setup_link(token: str, now: datetime) -> SetupLink | None:
    """The link of that token if it still works: not used, not over, and there is no administrator yet."""
    return _usable(SetupLink.objects.filter(digest=_digest(token)).first(), now)


def get_setup_link(link_id: int, now: datetime) -> SetupLink | None:
    """The link by its row id, as kept in the session, if it still works."""
    return _usable(SetupLink.objects.filter(pk=link_id).first(), now)


def use_setup_link(link: SetupLink, now: datetime) -> bool:
    """Mark it used. False when somebody else was quicker; call inside the transaction that makes the person."""
    return SetupLink.objects.filter(pk=link.pk, used_at=None).update(used_at=now) == 1


def has_administrator() -> bool:
    """Whether anybody could sign in and administer."""
    return User.objects.filter(is_superuser=True, is_active=True).exists()


def _usable(link: SetupLink | None, now: datetime) -> SetupLink | None:
    if link is None or link.used_at is not None or link.expires_at <= now or has_administrator():
        return None
    return link


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()
