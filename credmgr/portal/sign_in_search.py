"""What the search box of a sign-ins page finds, as a question that walks an index if there is one for it."""

import ipaddress
import re
import uuid
from dataclasses import replace

from django.db.models import Q

from credmgr.audit.sign_in_questions import Question
from credmgr.registrations.models import Application, Tenant

# A search by name looks at so many registrations at most.
_NAMES_SEARCHED = 100
_TOKEN_ID = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)


def found_by(question: Question, search: str, tenant: Tenant) -> Question:
    """Rows by any of their ids, thumbprint, address, or the application's name."""
    try:
        known = uuid.UUID(search)
    except ValueError:
        pass
    else:
        return _by_id(question, known)
    bare = search.replace(":", "").replace(" ", "").upper()
    if len(bare) in (40, 64) and all(letter in "0123456789ABCDEF" for letter in bare):
        return narrowed(question, Q(thumbprint=bare))
    try:
        return from_address(question, str(ipaddress.ip_address(search)))
    except ValueError:
        return _named(question, search, tenant)


def _by_id(question: Question, known: uuid.UUID) -> Question:
    application = Application.objects.filter(Q(pk=known) | Q(client_id=known)).first()
    if application is not None and question.application_id is None:
        return replace(question, application_id=application.pk)
    return narrowed(
        question,
        Q(correlation_id=known)
        | Q(trace_id=known)
        | Q(client_id=str(known))
        | Q(credential_id=known)
        | Q(application_id=known)
        | Q(service_principal_id=known),
    )


def _named(question: Question, search: str, tenant: Tenant) -> Question:
    here = Q(tenant=tenant) | Q(service_principals__tenant=tenant)
    named = Application.objects.filter(here, display_name__icontains=search)
    keys = list(named.values_list("pk", flat=True).distinct()[:_NAMES_SEARCHED])
    if not keys or question.application_id is not None or _TOKEN_ID.fullmatch(search):
        return narrowed(question, Q(application_id__in=keys) | Q(token_id=search))
    if len(keys) == 1:
        return replace(question, application_id=keys[0])
    return replace(question, applications=tuple(keys))


def from_address(question: Question, address: str) -> Question:
    """Those of one IP address."""
    if question.address:  # of a filter, where a search names one too
        return narrowed(question, Q(address=address))
    return replace(question, address=address)


def narrowed(question: Question, wanted: Q) -> Question:
    """Those that fit a condition, too, which no index knows."""
    return replace(question, matching=question.matching & wanted)
