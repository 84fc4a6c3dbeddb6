"""Writes the audit. Called by every act, inside the act's transaction: no change without its row."""

import os
import pwd
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from credmgr.accounts.models import User
from credmgr.accounts.roles import EVERYTHING, NotAllowedError, Standing
from credmgr.audit.chain import append, clean
from credmgr.audit.events import EventTag, right_for
from credmgr.audit.models import AuditEvent


@dataclass(frozen=True)
class Actor:
    """Who acts. user is None for commands and for people not signed in.

    standing: what the actor may do; commands and the server itself may do everything. owned_application_id:
    the registration that this is about, where the person owns it.
    """

    name: str
    user: User | None = None
    address: str = ""
    correlation_id: uuid.UUID = field(default_factory=uuid.uuid4)
    standing: Standing = EVERYTHING
    owned_application_id: uuid.UUID | None = None

    @classmethod
    def from_request(cls, request: HttpRequest) -> "Actor":
        """The person behind a request."""
        person = getattr(request, "user", None)
        user = person if isinstance(person, User) else None
        return cls(
            name=user.shown_name if user else "Not signed in",
            user=user,
            address=request.META.get("REMOTE_ADDR", ""),
            correlation_id=getattr(request, "correlation_id", None) or uuid.uuid4(),
            standing=getattr(request, "standing", None) or Standing(),
            owned_application_id=getattr(request, "owned_application_id", None),
        )

    @classmethod
    def command(cls) -> "Actor":
        """A management command, with the user of the operating system who runs it: "Command line (ada)".

        Whoever may run one holds the keys anyway: the name says who it was, it is no proof.
        """
        return cls(name=f"Command line ({_system_user()})")


def _system_user() -> str:
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"  # containers run as numbers that nobody has named


def record_event(
    tag: EventTag,
    *,
    actor: Actor,
    now: datetime,
    tenant_id: uuid.UUID | None = None,
    application_id: uuid.UUID | None = None,
    object_type: str = "",
    object_id: object = "",
    object_name: str = "",
    changes: dict[str, Any] | None = None,
    succeeded: bool = True,
) -> AuditEvent:
    """Append one event, sealed to the one before.

    changes: {field: [old, new]} of harmless fields only, never a value that proves identity. Raises
    NotAllowedError where the actor's roles do not give the act's right: the act's transaction ends with it,
    so that no page, command or later caller of an act can forget to ask.
    """
    right = right_for(tag)
    owns = application_id is not None and application_id == actor.owned_application_id
    if right is not None and not actor.standing.allows(right, tenant_id, owns=owns):
        raise NotAllowedError
    event = AuditEvent(
        tag=tag.value,
        at=now,
        tenant_id=tenant_id,
        application_id=application_id,
        actor_id=actor.user.pk if actor.user else None,
        actor_name=clean(actor.name),
        address=clean(actor.address),
        object_type=object_type,
        object_id=clean(str(object_id)),
        object_name=clean(str(object_name)),
        changes=clean(changes or {}),
        succeeded=succeeded,
        correlation_id=actor.correlation_id,
    )
    return append(event)
