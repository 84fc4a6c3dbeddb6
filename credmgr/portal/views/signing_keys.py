"""Signing keys: what is in the key set, and what becomes of it. They sign for all directories."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from credmgr.audit.recording import Actor
from credmgr.authority.key_rolling import (
    PUBLISHED_BEFORE_USE,
    RETIRED_KEPT,
    listed_keys,
    replace_signing_key,
    roll_signing_key,
    rolls_by_itself_at,
    withdraw_signing_key,
)
from credmgr.portal import words
from credmgr.portal.access import directory_of
from credmgr.portal.acting import carried_out, form_page, posted
from credmgr.portal.forms.applications import ConfirmedForm
from credmgr.portal.forms.base import PortalForm
from credmgr.portal.forms.signing_keys import ReplaceForm
from credmgr.portal.signing_key_rows import SigningKeyRow, rows_of


@require_safe
def signing_keys(request: HttpRequest) -> HttpResponse:
    """All that are kept, the newest first."""
    directory = directory_of(request)
    now = timezone.now()
    rows = rows_of(listed_keys(now))
    context = {
        "rows": rows,
        "is_next_published": any(row.is_next for row in rows),
        "rolls_at": rolls_by_itself_at(now),
        "key_set_address": f"{settings.AUTHORITY_URL}/{directory.pk}/discovery/v2.0/keys",
        "retired_kept": RETIRED_KEPT.days,
    }
    return render(request, "portal/signing_keys/list.html", context)


@require_safe
def signing_key(request: HttpRequest, key_id: uuid.UUID) -> HttpResponse:
    """One key with its certificate."""
    context = {"row": _row_or_404(request, key_id), "back": reverse("portal:signing_keys")}
    return render(request, "portal/signing_keys/key.html", context)


@require_safe
def signing_key_download(request: HttpRequest, key_id: uuid.UUID, form: str) -> HttpResponse:
    """The certificate, which is public: form "pem" as text, "cer" as DER."""
    row = _row_or_404(request, key_id)
    if form == "pem":
        answer = HttpResponse(row.pem, content_type="application/x-pem-file")
    elif form == "cer":
        answer = HttpResponse(row.certificate.der, content_type="application/pkix-cert")
    else:
        raise Http404
    name = f"signing-key-{row.certificate.thumbprint_sha1[:8].lower()}.{form}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def signing_key_roll(request: HttpRequest) -> HttpResponse:
    """Ask, then publish the next key."""
    directory_of(request)
    now = timezone.now()
    form = ConfirmedForm(posted(request), request=request)

    def act(actor: Actor, now: datetime) -> str:
        made = roll_signing_key(actor=actor, now=now)
        return f"The next key is published. It signs from {words.moment(made.signs_from)}."

    if done := carried_out(request, form, act, "portal:signing_keys"):
        return done
    following = next((row for row in rows_of(listed_keys(now)) if row.is_next), None)
    context = {"next": following, "signs_from": now + PUBLISHED_BEFORE_USE}
    return _panel(request, "roll", form, context)


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def signing_key_replace(request: HttpRequest) -> HttpResponse:
    """Ask what happened, then sign with a new key at once."""
    directory_of(request)
    form = ReplaceForm(posted(request), request=request)

    def act(actor: Actor, now: datetime) -> str:
        withdraws = form.withdraws
        replace_signing_key(withdraw_older=withdraws, actor=actor, now=now)
        older = "are withdrawn" if withdraws else "stay until their last token is dead"
        return f"A new key signs. The older ones {older}."

    if done := carried_out(request, form, act, "portal:signing_keys"):
        return done
    return _panel(request, "replace", form, {})


@sensitive_post_parameters("current_password")
@require_http_methods(["GET", "HEAD", "POST"])
def signing_key_withdraw(request: HttpRequest, key_id: uuid.UUID) -> HttpResponse:
    """Ask, then take one key that does not sign out of the key set."""
    row = _row_or_404(request, key_id)
    form = ConfirmedForm(posted(request), request=request)

    def act(actor: Actor, now: datetime) -> str:
        withdraw_signing_key(row.key.pk, actor=actor, now=now)
        return "The key is out of the key set."

    if done := carried_out(request, form, act, "portal:signing_keys"):
        return done
    return _panel(request, "withdraw", form, {"row": row})


def _row_or_404(request: HttpRequest, key_id: uuid.UUID) -> SigningKeyRow:
    directory_of(request)
    found = next((each for each in listed_keys(timezone.now()) if each.key.pk == key_id), None)
    if found is None:
        raise Http404
    return rows_of([found])[0]


def _panel(
    request: HttpRequest, template: str, form: PortalForm, context: Mapping[str, object]
) -> HttpResponse:
    return form_page(
        request,
        f"portal/signing_keys/{template}.html",
        form,
        {"back": reverse("portal:signing_keys"), **context},
    )
