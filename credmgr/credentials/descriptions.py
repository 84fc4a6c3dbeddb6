"""What a person may write about a credential."""

from credmgr.credentials.errors import CredentialError
from credmgr.registrations.naming import has_control_characters

DESCRIPTION_MAX = 256


def clean_description(typed: str, refuse: type[CredentialError], *, longest: int = DESCRIPTION_MAX) -> str:
    """The text without surrounding white space, at most `longest` characters on one line. Raises `refuse`."""
    description = typed.strip()
    if len(description) > longest:
        raise refuse(
            "description_too_long",
            f"The description has {len(description)} characters. Shorten it to {longest} or fewer.",
            field="description",
        )
    if has_control_characters(description):
        raise refuse(
            "description_characters",
            "The description holds line breaks or invisible control characters. Type it again without them.",
            field="description",
        )
    return description
