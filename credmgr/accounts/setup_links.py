"""The one-time link with which the first administrator is made (P10, P11)."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from credmgr.accounts import administrators
from credmgr.accounts.models import SetupLink, User
from credmgr.errors import DomainError

VALID_FOR = timedelta(hours=1)
TOKEN_BYTES = 32


class SetupLinkError(DomainError):
    """The link is used up, too old, unknown, or no longer needed. All look alike."""

    def __init__(self) -> None:
        super().__init__(
            "setup_link",
            "A set-up link works once and for an hour, ends when the server is "
            "started again, and has no use once there is an administrator.",
        )


def make_setup_link(now: datetime) -> str | None:
    """The token of a new link (see the page account_setup), None when there is an administrator.

    Links made before are dead from here on.
    """
    if administrators.exists():
        return None
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with transaction.atomic():
        SetupLink.objects.all().delete()
        SetupLink.objects.create(digest=_digest(token), expires_at=now + VALID_FOR)
    return token


@sensitive_variables("token")
def find_link(token: str, now: datetime) -> SetupLink:
    """The live link of a token. Raises SetupLinkError."""
    return _live(SetupLink.objects.filter(digest=_digest(token)).first(), now)


def open_link(link_id: object, now: datetime) -> SetupLink:
    """The live link of a row id, as the session remembers it. Raises SetupLinkError."""
    found = SetupLink.objects.filter(pk=link_id).first() if isinstance(link_id, int) else None
    return _live(found, now)


def use_link(link: SetupLink, user: User, now: datetime) -> None:
    """Save the first administrator and use up the link, both or nothing.

    Raises SetupLinkError when somebody was quicker. The caller's transaction also writes the audit.
    """
    with transaction.atomic():
        # Whoever changes the row first wins; the other finds it used.
        live = SetupLink.objects.filter(pk=link.pk, used_at__isnull=True, expires_at__gt=now)
        if not live.update(used_at=now) or administrators.exists():
            raise SetupLinkError
        user.save(force_insert=True)
        administrators.let_administer_everywhere(user, now, by="Set-up link")


def forget_old(now: datetime) -> int:
    """Delete links that have ended; how many there were."""
    return SetupLink.objects.filter(expires_at__lt=now).delete()[0]


def _live(link: SetupLink | None, now: datetime) -> SetupLink:
    if link is None or link.used_at or link.expires_at <= now or administrators.exists():
        raise SetupLinkError
    return link


def _digest(token: str) -> bytes:
    # A plain hash: the token carries 256 random bits, nothing is left to guess.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
