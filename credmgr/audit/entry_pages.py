"""Pages of the audit, newest first. A filter and an ID have an index each. For part of a name there is none:
such a search looks at so many entries, and says how far back it came.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from credmgr.audit.models import AuditEvent

# Entries that a search for part of a name looks at: at first, and for everybody who goes on from there.
FIRST_LOOK, FURTHER_LOOK = 5_000, 100_000


@dataclass(frozen=True)
class Wanted:
    """Which entries. walked: with every filter but the search, newest first.

    ids: conditions with an index each; an entry that meets one of them is wanted. text: what no index knows.
    """

    walked: QuerySet[AuditEvent]
    ids: tuple[Q, ...] = ()
    text: Q | None = None

    def everything(self) -> QuerySet[AuditEvent]:
        """All of them, however far back they are."""
        any_of = Q() if self.text is None else self.text
        for condition in self.ids:
            any_of |= condition
        return self.walked.filter(any_of)


@dataclass(frozen=True)
class EntryPage:
    """Entries newest first. newer, older: the sequence before or after which the next pages begin.

    looked_at: so many entries were looked at, back to looked_back_to, and older ones may match; else 0.
    """

    rows: list[AuditEvent]
    newer: int | None = None
    older: int | None = None
    looked_at: int = 0
    looked_back_to: datetime | None = None


def older_page(wanted: Wanted, size: int, before: int | None = None) -> EntryPage:
    """The newest entries, or the newest of those before a sequence."""
    walked = wanted.walked if before is None else wanted.walked.filter(sequence__lt=before)
    look = FIRST_LOOK if before is None else FURTHER_LOOK
    last = _last_of_look(walked, look) if wanted.text is not None else None
    if last is not None:
        walked = walked.filter(sequence__gte=last)
    found = _first(wanted, walked, size + 1, newest_first=True)
    shown = found[:size]
    newer = None if before is None else shown[0].sequence if shown else before - 1
    if len(found) > size:
        return EntryPage(shown, newer, shown[-1].sequence)
    if last is not None:
        return EntryPage(shown, newer, last, look, AuditEvent.objects.get(pk=last).at)
    return EntryPage(shown, newer)


def newer_page(wanted: Wanted, size: int, after: int) -> EntryPage:
    """The oldest of the entries after a sequence."""
    walked = wanted.walked.filter(sequence__gt=after).order_by("sequence")
    last = _last_of_look(walked, FURTHER_LOOK) if wanted.text is not None else None
    if last is not None:
        walked = walked.filter(sequence__lte=last)
    found = _first(wanted, walked, size + 1, newest_first=False)
    shown = found[:size][::-1]
    newer = shown[0].sequence if len(found) > size else last
    return EntryPage(shown, newer, shown[-1].sequence if shown else after + 1)


def _last_of_look(walked: QuerySet[AuditEvent], most: int) -> int | None:
    """The last entry that is looked at; None where there are no more than so many."""
    beyond = list(walked.values_list("sequence", flat=True)[most - 1 : most + 1])
    return beyond[0] if len(beyond) == 2 else None


def _first(
    wanted: Wanted, walked: QuerySet[AuditEvent], most: int, *, newest_first: bool
) -> list[AuditEvent]:
    """The first so many in the order of the walk."""
    if not wanted.ids:
        return list((walked if wanted.text is None else walked.filter(wanted.text))[:most])
    # Each condition by its own index: asked for all at once, the database would read and sort what meets any.
    met: set[int] = set()
    for condition in wanted.ids:
        met |= set(walked.filter(condition).values_list("sequence", flat=True)[:most])
    found = AuditEvent.objects.in_bulk(sorted(met, reverse=newest_first)[:most])
    return sorted(found.values(), key=lambda event: event.sequence, reverse=newest_first)
