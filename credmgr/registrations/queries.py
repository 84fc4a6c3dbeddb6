"""Look-ups of directories and registrations."""

import re
import uuid

from django.db.models import QuerySet

from credmgr.accounts.models import User
from credmgr.registrations.directories import ensure_default_tenant as ensure_default_tenant
from credmgr.registrations.errors import RegistrationNotFoundError
from credmgr.registrations.models import Application, IdentifierUri, Tenant

# ASCII only and the canonical form only: uuid.UUID() would also take braces, prefixes and full-width digits.
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def parse_guid(text: str) -> uuid.UUID | None:
    """The GUID that the text is in its canonical form, letters in any case; None for anything else."""
    return uuid.UUID(text) if _GUID.fullmatch(text) else None


def default_tenant() -> Tenant:
    """The directory that the portal works in. Raises RegistrationNotFoundError before the first start."""
    try:
        return Tenant.objects.get(is_default=True)
    except Tenant.DoesNotExist:
        raise RegistrationNotFoundError(
            "no_directory",
            "There is no directory yet. Start the server once: it creates the default directory.",
        ) from None


def application_by_client_id(tenant: Tenant, client_id: uuid.UUID | str) -> Application | None:
    """The live registration with that application (client) id, disabled ones included; None for anything
    else.
    """
    wanted = client_id if isinstance(client_id, uuid.UUID) else parse_guid(client_id)
    if wanted is None:
        return None
    return Application.objects.filter(tenant=tenant, client_id=wanted, deleted_at=None).first()


def identifier_uri_of(application: Application) -> str:
    """The registration's Application ID URI, "" when it has none."""
    row = IdentifierUri.objects.filter(application=application).order_by("pk").first()
    return row.uri if row else ""


def holder_of_uri(tenant: Tenant, uri: str) -> Application | None:
    """The live registration that has this URI, in whatever case it is written."""
    row = (
        IdentifierUri.objects.filter(tenant=tenant, uri__iexact=uri, is_released=False)
        .select_related("application")
        .first()
    )
    return row.application if row else None


def owners_of(application: Application) -> QuerySet[User]:
    """The people who own the registration, by user name."""
    return User.objects.filter(ownerships__application=application).order_by("username")
