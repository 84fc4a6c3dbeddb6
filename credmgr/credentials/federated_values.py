"""What may be typed into a federated credential: names, issuers, subjects, audiences, descriptions."""

import re

from credmgr.credentials.descriptions import clean_description
from credmgr.credentials.errors import FederatedError
from credmgr.registrations.issuers import issuer_refusal
from credmgr.registrations.naming import has_control_characters

NAME_LENGTH = (3, 120)
VALUE_MAX = 600
DESCRIPTION_MAX = 600

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,119}", re.ASCII)
_LABELS = {"issuer": "issuer", "subject": "subject identifier", "audience": "audience"}


def clean_name(typed: str) -> str:
    """A name as addresses and scripts can carry it. Raises FederatedError."""
    if _NAME.fullmatch(typed):
        return typed
    if not NAME_LENGTH[0] <= len(typed) <= NAME_LENGTH[1]:
        raise FederatedError(
            "name_length",
            f"The name has {len(typed)} characters. It takes {NAME_LENGTH[0]} to {NAME_LENGTH[1]}.",
            field="name",
        )
    raise FederatedError(
        "name_characters",
        "The name takes letters, digits, hyphens and underscores, and begins with a letter or digit.",
        field="name",
    )


def clean_value(typed: str, field: str) -> str:
    """A subject identifier or audience, kept to the letter. field: of _LABELS. Raises FederatedError."""
    label = _LABELS[field]
    if not typed:
        raise FederatedError(f"{field}_missing", f"Enter the {label}.", field=field)
    if len(typed) > VALUE_MAX:
        raise FederatedError(
            f"{field}_too_long",
            f"The {label} has {len(typed)} characters. Shorten it to {VALUE_MAX} or fewer.",
            field=field,
        )
    if has_control_characters(typed):
        raise FederatedError(
            f"{field}_characters",
            f"The {label} holds line breaks or invisible control characters. Type it again without them.",
            field=field,
        )
    if typed != typed.strip():
        raise FederatedError(
            f"{field}_space",
            f"The {label} begins or ends with a space. Remove it: every character is compared.",
            field=field,
        )
    if "*" in typed:
        raise FederatedError(
            f"{field}_wildcard",
            f"The {label} holds an asterisk. There are no wildcards: write out what the token will say, "
            "and add a credential for each case.",
            field=field,
        )
    return typed


def clean_issuer(typed: str) -> str:
    """An issuer address, kept to the letter. Raises FederatedError."""
    refusal = issuer_refusal(typed)
    if refusal is not None:
        raise FederatedError(*refusal, field="issuer")
    return clean_value(typed, "issuer")


def clean_trust(issuer: str, subject: str, audience: str, description: str) -> dict[str, str]:
    """What may change of a federated credential, field by field. Raises FederatedError."""
    return {
        "issuer": clean_issuer(issuer),
        "subject": clean_value(subject, "subject"),
        "audience": clean_value(audience, "audience"),
        "description": clean_description(description, FederatedError, longest=DESCRIPTION_MAX),
    }
