"""How many files a person may send in a minute: judging one costs the server more than sending it."""

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from credmgr.accounts import throttling

TOO_OFTEN = "That were too many uploads within a minute. Nothing was stored. Wait a minute, then try again."


def has_upload_left(request: HttpRequest) -> bool:
    """Count this upload; False when the person has used up the minute's share."""
    limit = throttling.Limit("upload", settings.UPLOADS_PER_MINUTE, 60)
    return not throttling.admit(throttling.key_of(limit.purpose, request.user.pk), limit, timezone.now())
