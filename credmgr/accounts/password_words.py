"""Passwords made of the words that everybody would try here first."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.views.decorators.debug import sensitive_variables

from credmgr.accounts.models import User

# What is left of a password without these words has to be at least so long.
LEAST_REST = 8
_LISTED = """
credmgr credential credentials manager azure entra microsoft portal directory application applications
admin administrator root owner reader tester auditor password passwort passphrase secret certificate token
login signin welcome changeme letmein qwerty
"""
WORDS = frozenset(_LISTED.split())
_PIECES = re.compile(r"[^\W\d_]{4,}")


def words_of_this_installation() -> set[str]:
    """WORDS, and those of the first directory's name and domain and of the public address; lower case."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    names = f"{settings.DEFAULT_DIRECTORY_NAME} {settings.DEFAULT_DIRECTORY_DOMAIN} {host}".lower()
    return {*WORDS, *_PIECES.findall(names)}


class OwnWordsValidator:
    """Refuses a password that is little more than words of this product, its trade and this installation."""

    @sensitive_variables("password", "rest")
    def validate(self, password: str, user: User | None = None) -> None:  # noqa: ARG002 - Django's signature
        """Raises ValidationError with a sentence that does not repeat the password."""
        rest = password.lower()
        for word in sorted(words_of_this_installation(), key=len, reverse=True):
            rest = rest.replace(word, "")
        if len(rest) < LEAST_REST and len(rest) < len(password):
            raise ValidationError(self.get_help_text(), code="password_of_own_words")

    def get_help_text(self) -> str:
        """The same sentence."""
        return (
            "The password is made of words that are tried here first, such as the product's name or the "
            f"directory's. Add at least {LEAST_REST} characters of something else."
        )
