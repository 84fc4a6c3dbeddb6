"""What names, notes and identifier URIs may look like. No ORM here.

Every function takes what a person typed, returns the form that is stored, or raises RegistrationError.
"""

import unicodedata
from urllib.parse import urlsplit

from credmgr.registrations.errors import RegistrationError
from credmgr.registrations.models import AUDIENCES

NAME_MAX = 120
NOTES_MAX = 1024
URI_MAX = 255
URI_SCHEMES = ("api", "https", "urn")
# Marks that reorder the text around them: a name could show as another one.
_REORDERING = set("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Control characters, halves of surrogate pairs, line and paragraph separators.
_CONTROL_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}


def clean_display_name(typed: str, *, field: str = "display_name") -> str:
    """A name of 1 to 120 characters, surrounding white space removed."""
    name = typed.strip()
    if not any(unicodedata.category(character)[0] not in "CZ" for character in name):
        raise RegistrationError("name_missing", "Enter a name.", field=field)
    if len(name) > NAME_MAX:
        raise RegistrationError(
            "name_too_long",
            f"The name has {len(name)} characters. Shorten it to {NAME_MAX} or fewer.",
            field=field,
        )
    if has_control_characters(name):
        raise RegistrationError(
            "name_characters",
            "The name holds line breaks or invisible control characters. Type it again without them.",
            field=field,
        )
    return name


def clean_notes(typed: str) -> str:
    """Free text of at most 1024 characters; line breaks and tabs may stay."""
    notes = typed.strip().replace("\r\n", "\n")
    if len(notes) > NOTES_MAX:
        raise RegistrationError(
            "notes_too_long",
            f"The notes have {len(notes)} characters. Shorten them to {NOTES_MAX} or fewer.",
            field="notes",
        )
    if has_control_characters(notes.replace("\n", "").replace("\t", "")):
        raise RegistrationError(
            "notes_characters",
            "The notes hold invisible control characters. Type them again without them.",
            field="notes",
        )
    return notes


def clean_sign_in_audience(chosen: str) -> str:
    """One of the audiences on offer."""
    if chosen not in dict(AUDIENCES):
        raise RegistrationError(
            "audience_unknown", "Choose one of the supported account types.", field="sign_in_audience"
        )
    return chosen


def clean_access_token_version(chosen: int | None) -> int | None:
    """None and 1 ask for v1 tokens, 2 for v2."""
    if chosen not in (None, 1, 2):
        raise RegistrationError(
            "token_version_unknown", "Choose access token version 1 or 2.", field="access_token_version"
        )
    return chosen


def clean_identifier_uri(typed: str) -> str:
    """An Application ID URI, or "" for none. Kept to the letter: it becomes the audience of tokens."""
    uri = typed.strip()
    if not uri:
        return ""
    if len(uri) > URI_MAX:
        raise _uri_error(
            "uri_too_long", f"The URI has {len(uri)} characters. Shorten it to {URI_MAX} or fewer."
        )
    if not uri.isascii() or not uri.isprintable() or set(uri) & set(' "<>\\^`{|}*'):
        raise _uri_error(
            "uri_characters",
            "The URI holds a space or another character that a URI may not have. "
            "Use letters, digits and -._~:/ only.",
        )
    if uri.endswith("/"):
        raise _uri_error("uri_trailing_slash", "The URI ends in a slash. Remove it.")
    if uri.endswith("/.default"):
        raise _uri_error(
            "uri_is_scope", "This is a scope. Remove /.default: clients add it when they ask for a token."
        )
    return _with_known_scheme(uri)


def _with_known_scheme(uri: str) -> str:
    try:
        parts = urlsplit(uri)
        port_is_number = parts.port is None or parts.port >= 0
    except ValueError:
        parts, port_is_number = urlsplit(""), False
    if parts.scheme not in URI_SCHEMES or not port_is_number or not uri.startswith(f"{parts.scheme}:"):
        raise _uri_error(
            "uri_scheme", "The URI must begin with api://, https:// or urn:, for example api://my-service."
        )
    if parts.query or parts.fragment or "?" in uri or "#" in uri:
        raise _uri_error("uri_query", "The URI holds ? or #. Remove them and what follows.")
    is_urn = parts.scheme == "urn"
    if (is_urn and not parts.path.strip(":")) or (not is_urn and not parts.hostname) or "@" in parts.netloc:
        raise _uri_error(
            "uri_incomplete",
            f"The URI is incomplete. Write more after {parts.scheme}:{'' if is_urn else '//'}.",
        )
    return uri


def _uri_error(code: str, message: str) -> RegistrationError:
    return RegistrationError(code, message, field="identifier_uri")


def has_control_characters(text: str) -> bool:
    """Whether the text holds control characters or marks that reorder what is around them."""
    return any(
        character in _REORDERING or unicodedata.category(character) in _CONTROL_CATEGORIES
        for character in text
    )
