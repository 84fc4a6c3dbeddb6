"""The acts on the list: put an origin on it, take one off. `now` is aware UTC; refusals are OriginErrors.

Both are in force with the next request of every process: the list is read anew for each use.
"""

from datetime import datetime

from django.db import IntegrityError, transaction

from credmgr.audit.events import EventTag
from credmgr.audit.recording import Actor, record_event
from credmgr.origins.addresses import Address, read_address
from credmgr.origins.ca import read_ca
from credmgr.origins.errors import OriginError, OriginNotFoundError
from credmgr.origins.models import AllowedOrigin
from credmgr.origins.queries import PAGE, SOURCE_WORDS, origin_of_row, source_of

ORIGINS_MAX = 200
NAME_MAX = 120


def add_origin(
    *,
    address: str,
    name: str = "",
    is_private: bool = False,
    is_http: bool = False,
    ca_text: str = "",
    ca_file: bytes = b"",
    actor: Actor,
    now: datetime,
) -> AllowedOrigin:
    """Allow calls to an origin. address: https://host[:port] as typed.

    ca_text or ca_file: CA certificates to trust for it instead of the public roots.
    """
    read = read_address(address, is_private=is_private, is_http=is_http)
    row = AllowedOrigin(
        scheme=read.scheme,
        host=read.host,
        port=read.port,
        name=_clean_name(name),
        is_private=is_private,
        ca_pem=_ca(read, ca_text, ca_file, now),
        created_at=now,
        created_by=actor.user,
        created_by_name=actor.name,
    )
    try:
        with transaction.atomic():
            _refuse_listed(read)
            if AllowedOrigin.objects.count() >= ORIGINS_MAX:
                raise OriginError(
                    "too_many_origins",
                    f"{ORIGINS_MAX} origins were added already, the most there can be. Remove one first.",
                )
            row.save(force_insert=True)
            _record(EventTag.ORIGIN_ADDED, row, actor, now)
    except IntegrityError:
        _refuse_listed(read)  # a parallel request was faster
        raise
    return row


@transaction.atomic
def remove_origin(row: AllowedOrigin, *, actor: Actor, now: datetime) -> None:
    """Stop all calls to it, from the next request on. Raises OriginNotFoundError."""
    fresh = AllowedOrigin.objects.select_for_update().filter(pk=row.pk).first()
    if fresh is None:
        raise OriginNotFoundError(
            "origin_gone", "This origin was removed meanwhile. The list is as you wanted it."
        )
    _record(EventTag.ORIGIN_REMOVED, fresh, actor, now)
    fresh.delete()


def _clean_name(typed: str) -> str:
    name = typed.strip()
    if len(name) > NAME_MAX:
        raise OriginError(
            "origin_name_too_long",
            f"The name has {len(name)} characters. Shorten it to {NAME_MAX} or fewer.",
            field="name",
        )
    if not name.isprintable():
        raise OriginError(
            "origin_name_characters",
            "The name holds line breaks or invisible control characters. Type it again without them.",
            field="name",
        )
    return name


def _ca(address: Address, text: str, file: bytes, now: datetime) -> str:
    text = text.strip()
    field = "ca_text" if text else "ca_file"
    if text and file:
        raise OriginError("ca_twice", "Paste the CA or choose its file, not both.", field="ca_file")
    if (text or file) and address.scheme == "http":
        raise OriginError("ca_without_tls", "Plain http has no certificate. Leave the CA empty.", field=field)
    return read_ca(text.encode() or file, field=field, now=now) if text or file else ""


def _refuse_listed(address: Address) -> None:
    source = source_of(address.text)
    if source is None:
        return
    what_to_do = " Remove that entry first if its marks are not right." if source == PAGE else ""
    words = SOURCE_WORDS[source]
    raise OriginError(
        "origin_listed",
        f"{address.text} is on the list already: {words[0].lower()}{words[1:]}.{what_to_do}",
        field="address",
    )


def _record(tag: EventTag, row: AllowedOrigin, actor: Actor, now: datetime) -> None:
    marks: dict[str, object] = {"privateAddresses": row.is_private, "ownCa": bool(row.ca_pem)}
    record_event(
        tag,
        actor=actor,
        now=now,
        object_type="origin",
        object_id=row.pk,
        object_name=origin_of_row(row).address,
        changes=marks,
    )
