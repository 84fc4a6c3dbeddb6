"""What a directory's domain names may look like. No ORM here."""

import re

from credmgr.registrations.errors import RegistrationError

# The domain that every directory is made with ends so, as Entra's end in onmicrosoft.com.
INITIAL_SUFFIX = ".onmicrosoft.example"
DOMAIN_MAX = 253
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


def clean_domain(typed: str, *, field: str = "domain") -> str:
    """A domain name in lower case, without a trailing dot. Raises RegistrationError."""
    name = typed.strip().lower().removesuffix(".")
    if not name:
        raise RegistrationError("domain_missing", "Enter a domain name.", field=field)
    if "/" in name or "@" in name or ":" in name:
        raise RegistrationError(
            "domain_is_address",
            "This is an address. Enter the domain name alone, for example example.org.",
            field=field,
        )
    if not name.isascii():
        raise RegistrationError(
            "domain_not_ascii",
            "The domain name holds letters beyond a to z. Enter its ASCII form, which begins with xn--.",
            field=field,
        )
    labels = name.split(".")
    if len(labels) < 2 or len(name) > DOMAIN_MAX or not all(_LABEL.fullmatch(label) for label in labels):
        raise RegistrationError(
            "domain_form",
            "This is not a domain name. Use letters, digits and hyphens, in parts with a dot between them, "
            "for example example.org.",
            field=field,
        )
    if labels[-1].isdigit() or len(labels[-1]) < 2:
        raise RegistrationError(
            "domain_end",
            "A domain name ends in letters, such as .org. Correct its last part.",
            field=field,
        )
    return name


def clean_initial_domain(typed: str) -> str:
    """The domain a directory is made with: something.onmicrosoft.example; the first part alone will do.

    Raises RegistrationError.
    """
    name = typed.strip().lower()
    if name and "." not in name:
        name += INITIAL_SUFFIX
    name = clean_domain(name)
    first = name.removesuffix(INITIAL_SUFFIX)
    if first == name or "." in first:
        raise RegistrationError(
            "domain_not_initial",
            f"The first domain has the form something{INITIAL_SUFFIX}. Enter that, or its first part; other "
            "domains can be added afterwards.",
            field="domain",
        )
    return name
