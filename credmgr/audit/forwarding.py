"""Sends audit entries on as they come, each chain in its order, and remembers how far the receiver has them.

At least once: an entry counts as sent when its receiver has taken it, and whoever is killed between that and
noting it sends it again. chain and position of each line tell a repeated one.
"""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Greatest

from credmgr.audit.models import AuditChain, AuditEvent, Forwarded

# A batch is one request, or one connection.
BATCH = 100

Send = Callable[[Sequence[AuditEvent]], None]


class DeliveryError(Exception):
    """The receiver did not take them. Its text is free of secrets and ready for the log."""


def forward_next(send: Send) -> int:
    """Give `send` the next entries of every chain, a batch of each; how many went.

    By one process at a time, outside of a transaction. Raises DeliveryError, with nothing noted of the batch
    that was refused, and django.db.Error.
    """
    sent = 0
    for chain in _chains().filter(length__gt=F("forwarded")):
        rows = AuditEvent.objects.filter(
            chain=chain.pk, position__gt=chain.forwarded, position__lte=chain.length
        )
        batch = list(rows.order_by("position")[:BATCH])
        if not batch:
            continue
        send(batch)
        Forwarded.objects.update_or_create(pk=chain.pk, defaults={"position": batch[-1].position or 0})
        sent += len(batch)
    return sent


def waiting() -> int:
    """Entries that the receiver does not have yet. 0 where nothing is forwarded."""
    if not settings.AUDIT_FORWARD:
        return 0
    found = _chains().aggregate(waiting=Sum(F("length") - F("forwarded")))
    return int(found["waiting"] or 0)


def last_forwarded(chain_id: uuid.UUID) -> int:
    """The position up to which the receiver has a chain."""
    found = Forwarded.objects.filter(pk=chain_id).values_list("position", flat=True).first()
    return found or 0


def _chains() -> QuerySet[Any]:
    """With `forwarded`: up to which entry there is nothing left to send."""
    position = Forwarded.objects.filter(pk=OuterRef("pk")).values("position")
    return AuditChain.objects.annotate(
        forwarded=Greatest(Coalesce(Subquery(position), 0), F("first_position") - 1)
    ).order_by("pk")
