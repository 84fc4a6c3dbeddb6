"""The form of the Decode token page."""

from django import forms

from credmgr.jose.jws import TOKEN_MAX_CHARACTERS
from credmgr.portal.forms.base import PortalForm, UnseenTextarea


class DecodeForm(PortalForm):
    """One token."""

    token = forms.CharField(
        label="Token",
        max_length=TOKEN_MAX_CHARACTERS * 2,
        widget=UnseenTextarea(
            attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false", "class": "textarea mono"}
        ),
        help_text="A signed JWT: three parts with dots between them. A leading Bearer does not matter.",
        error_messages={
            "required": "Paste a token first.",
            "max_length": "This is too long for a token. Paste the token alone.",
        },
    )
